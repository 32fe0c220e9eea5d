# Routes of the service. What they do is in R/.

library(plumber)

for (file in list.files("R", pattern = "[.]R$", full.names = TRUE)) {
  source(file, local = TRUE)
}

start_logging()
register_serializer("table_csv", csv_serializer)
cache_seconds <- number_setting("CACHE_SECONDS", 5)
remember <- new_cache(cache_seconds)
fetch <- function(...) fetch_candles(candle_request(...), remember)

#* @apiTitle Bitcoin report
#* @apiDescription Prices of the last hours: statistics, candlestick charts and a report.

#* @plumber
function(pr) {
  pr |>
    pr_set_error(handle_error(cache_seconds)) |>
    pr_set_404(not_found) |>
    pr_hooks(access_log()) |>
    pr_set_api_spec(describe_api(candle_parameters))
}

#* Whether the service is up; does not ask the exchange
#* @get /healthz
#* @serializer unboxedJSON
function() {
  list(status = "ok")
}

#* Minimum, mean and maximum of the closing prices
#* @get /stats
#* @serializer unboxedJSON list(digits = NA, POSIXt = "ISO8601", UTC = TRUE)
function(symbol = "BTCUSDT", interval = "1m", limit = 180L) {
  as.list(price_stats(fetch(symbol, interval, limit)))
}

#* The same statistics as CSV
#* @get /stats.csv
#* @serializer table_csv
function(symbol = "BTCUSDT", interval = "1m", limit = 180L) {
  price_stats(fetch(symbol, interval, limit))
}

#* Candlestick chart
#* @get /klines
#* @serializer png list(width = 960, height = 540, res = 110)
function(symbol = "BTCUSDT", interval = "1m", limit = 180L) {
  print(candle_chart(fetch(symbol, interval, limit)))
}

#* Candlestick chart of Bitcoin in the last 3 hours
#* @get /plot
#* @serializer png list(width = 960, height = 540, res = 110)
function() {
  print(candle_chart(fetch()))
}

#* Report on Bitcoin in the last 3 hours: statistics and chart
#* @get /report
#* @serializer html
function() {
  remember("report", function() render_report(fetch()))
}
