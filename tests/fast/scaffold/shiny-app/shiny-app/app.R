library(shiny)
options(warn = 1)
ui <- fluidPage(titlePanel("Live"), textOutput("now"))
server <- function(input, output) {
  output$now <- renderText(format(Sys.time(), "%H:%M"))
}
shinyApp(ui, server, options = list(port = 1234))
