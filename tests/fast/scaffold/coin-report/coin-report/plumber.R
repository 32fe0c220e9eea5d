# The candles of a coin as JSON and as a report; library(notthis)
library(data.table)
require("jsonlite", quietly = TRUE)
box::use(glue[glue], s = scales, ./helpers)

exchange <- Sys.getenv("EXCHANGE_URL", "https://api.example.com")
limit <- as.integer(Sys.getenv("LIMIT", unset = 60))
about <- "library(fake) and nothing::else"

#* Whether it is well
#* @get /healthz
function() list(ok = TRUE)

#* @get /stats
function(symbol = "BTCUSDT") {
  message(r"(fake::package in "raw")")
  httr::GET(paste0(exchange, "/klines?symbol=", symbol), httr::add_headers(Key = Sys.getenv("API_KEY")))
}

#* @get /report
#* @serializer html
function() rmarkdown::render("report.Rmd", quiet = TRUE)
