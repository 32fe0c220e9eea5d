library(ggplot2)
function(input, output) {
  con <- DBI::dbConnect(RPostgres::Postgres(), port = 5432, password = Sys.getenv("DB_PASSWORD"), host = Sys.getenv("DB_HOST"))
  output$prices <- renderPlot(botor::botor())
  later::later(print, 1)
}
