# Which candles are asked for, and the statistics of them.

# The parameters of a URL, in the words of OpenAPI: what is checked is what is documented.
candle_parameters <- list(
  symbol = list(
    description = "Pair of coins",
    pattern = "^[A-Z0-9._-]{1,20}$"
  ),
  interval = list(
    description = "Time that one candle covers",
    enum = c(
      "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h",
      "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"
    )
  ),
  limit = list(
    description = "Number of candles, counted back from now: 1 to 1000",
    minimum = 1L,
    maximum = 1000L
  )
)

#' The request for candles from the parameters, or an error of class `bad_request`
candle_request <- function(symbol = "BTCUSDT", interval = "1m", limit = 180L) {
  symbol <- toupper(one_text(symbol, "symbol"))
  if (!grepl(candle_parameters$symbol$pattern, symbol)) {
    refuse("symbol must be a pair of the exchange, 1 to 20 letters or digits, such as BTCUSDT")
  }
  interval <- one_text(interval, "interval")
  if (!interval %in% candle_parameters$interval$enum) {
    refuse(paste("interval must be one of", toString(candle_parameters$interval$enum)))
  }
  limit <- one_text(limit, "limit")
  range <- candle_parameters$limit
  count <- if (grepl("^[0-9]{1,9}$", limit)) as.integer(limit) else NA
  if (!isTRUE(count >= range$minimum && count <= range$maximum)) {
    refuse(sprintf("limit must be a whole number from %d to %d", range$minimum, range$maximum))
  }
  list(symbol = symbol, interval = interval, limit = count)
}

#' Candles for a request, through the cache: the request, its klines, and when they came
fetch_candles <- function(request, remember) {
  key <- paste(c("candles", request), collapse = " ")
  candles <- remember(key, function() {
    list(request = request, klines = do.call("exchange_klines", request), updated = Sys.time())
  })
  if (nrow(candles$klines) == 0L) {
    refuse(sprintf("the exchange has no candles of %s", request$symbol))
  }
  candles
}

#' One row: the request, the time it covers, and minimum, mean and maximum of the closing prices
price_stats <- function(candles) {
  klines <- candles$klines
  data.table::data.table(
    symbol = candles$request$symbol,
    interval = candles$request$interval,
    from = min(klines$open_time),
    to = max(klines$close_time),
    candles = nrow(klines),
    min = min(klines$close),
    mean = mean(klines$close),
    max = max(klines$close)
  )
}

#' A parameter as one text; plumber gives a vector if a URL repeats it
one_text <- function(value, name) {
  if (length(value) != 1L) {
    refuse(sprintf("%s must be given once", name))
  }
  value <- as.character(value)
  if (!validUTF8(value)) {
    refuse(sprintf("%s must be UTF-8", name))
  }
  value
}

#' Tell the caller what is wrong with the request
refuse <- function(message) {
  stop(structure(
    class = c("bad_request", "error", "condition"),
    list(message = message, call = NULL)
  ))
}
