shiny::fluidPage()
