# REST client of the exchange: candlesticks and prices as data tables.
# Needs data.table, httr and jsonlite. Asks EXCHANGE_URL.
#
# Signals two classes of error, both also of class `exchange_error`:
#   exchange_unavailable  no usable answer: try later (fields: status, retry_after)
#   exchange_refused      the question is wrong: `message` is what the exchange says

kline_columns <- c(
  "open_time", "open", "high", "low", "close", "volume",
  "close_time", "quote_volume", "trades", "taker_base", "taker_quote"
)
exchange_timeout_seconds <- 10

#' REST base of the exchange, without a slash at the end
exchange_url <- function() {
  url <- Sys.getenv("EXCHANGE_URL")
  if (!nzchar(url)) {
    url <- "https://api.binance.com"
  }
  sub("/+$", "", url)
}

#' Candlesticks of a pair, oldest first: one row for each interval, times in UTC
exchange_klines <- function(symbol, interval = "1m", limit = 60L) {
  rows <- exchange_get(
    "/api/v3/klines",
    list(symbol = symbol, interval = interval, limit = as.integer(limit))
  )
  expect_fields(rows, 12L) # the last one is documented as unused
  columns <- lapply(seq_along(kline_columns), function(i) {
    vapply(rows, function(row) as.numeric(row[[i]]), numeric(1))
  })
  klines <- data.table::setDT(stats::setNames(columns, kline_columns))
  for (column in c("open_time", "close_time")) {
    data.table::set(klines, j = column, value = utc_time(klines[[column]]))
  }
  klines[]
}

#' Latest price of every pair
exchange_prices <- function() {
  rows <- exchange_get("/api/v3/ticker/price")
  expect_fields(rows, 2L)
  data.table::data.table(
    symbol = vapply(rows, function(row) row$symbol, character(1)),
    price = vapply(rows, function(row) as.numeric(row$price), numeric(1))
  )
}

#' Latest price of every coin in USD, taking one USDT (Tether) as one dollar
coin_prices <- function() {
  prices <- exchange_prices()
  in_usdt <- prices[grepl(".USDT$", prices$symbol), ]
  data.table::data.table(
    symbol = c("USDT", sub("USDT$", "", in_usdt$symbol)),
    usd = c(1, in_usdt$price)
  )
}

#' Ask the exchange, and return its JSON answer as lists
exchange_get <- function(path, query = list()) {
  exchange_answer(exchange_request(paste0(exchange_url(), path), query))
}

#' The JSON of a response as lists, or the error that it stands for
exchange_answer <- function(response) {
  status <- httr::status_code(response)
  body <- httr::content(response, as = "text", encoding = "UTF-8")
  answer <- tryCatch(
    jsonlite::fromJSON(body, simplifyVector = FALSE),
    error = function(e) NULL
  )
  if (status == 200L && !is.null(answer)) {
    return(answer)
  }
  message <- if (is.list(answer)) answer[["msg"]]
  if (status == 400L && !is.null(message)) {
    stop(exchange_condition("exchange_refused", message, status))
  }
  reason <- paste(c(status_reason(status), message), collapse = ": ")
  stop(exchange_condition("exchange_unavailable", reason, status, retry_after(response)))
}

#' One GET; a lost connection is tried once more, a timeout is not (it took long enough)
exchange_request <- function(url, query, attempts = 2L) {
  tryCatch(
    httr::GET(url, query = query, httr::timeout(exchange_timeout_seconds)),
    error = function(e) {
      timed_out <- grepl("^Timeout was reached", conditionMessage(e))
      if (attempts > 1L && !timed_out) {
        return(exchange_request(url, query, attempts - 1L))
      }
      stop(exchange_condition("exchange_unavailable", conditionMessage(e)))
    }
  )
}

#' Refuse an answer that is JSON, but not rows of this many fields
expect_fields <- function(rows, n) {
  if (!all(lengths(rows) == n)) {
    stop(exchange_condition("exchange_unavailable", "the answer has an unexpected form"))
  }
}

#' What an HTTP status without a usable answer means, in plain words
status_reason <- function(status) {
  meaning <- if (status %in% c(418L, 429L)) {
    "too many requests"
  } else if (status >= 500L) {
    "trouble on its side"
  } else if (status == 200L) {
    "the answer is not JSON"
  } else {
    "unexpected status, check EXCHANGE_URL"
  }
  sprintf("%s (HTTP %d)", meaning, status)
}

#' Seconds to wait as told by the Retry-After header, or NA
retry_after <- function(response) {
  header <- httr::headers(response)[["retry-after"]]
  seconds <- suppressWarnings(as.integer(header))
  if (length(seconds) == 1L) seconds else NA_integer_
}

#' An error condition of the given class
exchange_condition <- function(class, message, status = NA_integer_, retry_after = NA_integer_) {
  structure(
    class = c(class, "exchange_error", "error", "condition"),
    list(message = message, call = NULL, status = status, retry_after = retry_after)
  )
}

#' Milliseconds since 1970 as a time in UTC
utc_time <- function(milliseconds) {
  as.POSIXct(milliseconds / 1000, origin = "1970-01-01", tz = "UTC")
}
