library(shiny)
fluidPage(plotOutput("prices"))
