library(shiny)
app <- shinyApp(fluidPage(), function(input, output) NULL)
if (interactive()) runApp(app, port = 1111)
runApp(
  app,
  port = 4000
)
