# Prices: asked of the exchange, kept in Redis, and how they are written.

#' Prices of these coins in USD now, by coin
exchange_coins <- function(coins) {
  prices <- coin_prices()
  found <- stats::setNames(prices$usd, prices$symbol)[coins]
  if (anyNA(found)) {
    missing <- paste(coins[is.na(found)], collapse = ", ")
    stop("the exchange has no price in USDT of ", missing, call. = FALSE)
  }
  found
}

#' Keep prices where other jobs and apps find them, all at once
cache_prices <- function(con, prices, now = Sys.time()) {
  sets <- lapply(names(prices), function(coin) c("SET", paste0("price:", coin), prices[[coin]]))
  redis_transaction(con, c(sets, list(c("SET", "price:updated", iso_time(now)))))
}

#' The price of a coin in Redis, or NULL when it is missing or too old
cached_price <- function(con, coin, now = Sys.time(), max_age_seconds = 300) {
  cached <- redis_command(con, "MGET", paste0("price:", coin), "price:updated")
  price <- suppressWarnings(as.numeric(cached[[1]]))
  updated <- as.POSIXct(cached[[2]] %||% NA, "UTC", "%Y-%m-%dT%H:%M:%OSZ")
  age <- as.numeric(difftime(now, updated, units = "secs"))
  if (length(price) == 1 && !is.na(price) && !is.na(age) && age <= max_age_seconds) price
}

#' The price of a coin: the cached one, or the exchange's
current_price <- function(con, coin) {
  price <- cached_price(con, coin)
  if (is.null(price)) {
    logger::log_info("no fresh price of", coin, "in Redis: asking the exchange")
    price <- exchange_coins(coin)[[1]]
  }
  price
}

#' The price of a coin an hour or a day ago
price_ago <- function(coin, period = c("hour", "day")) {
  period <- match.arg(period)
  # One more than fills the period: the first candlestick opened just before it began.
  asked <- list(hour = list("1m", 61), day = list("5m", 289))[[period]]
  klines <- exchange_klines(paste0(coin, "USDT"), asked[[1]], asked[[2]])
  if (nrow(klines) < asked[[2]]) {
    stop("the exchange does not know the price of ", coin, " one ", period, " ago", call. = FALSE)
  }
  klines$open[1]
}

#' A time as `2026-11-30T07:42:49Z`
iso_time <- function(time) format(time, "%Y-%m-%dT%H:%M:%SZ", tz = "UTC")

#' Dollars as `$8,300.10`; cheap coins with more digits
format_usd <- function(usd) {
  digits <- ifelse(usd != 0 & abs(usd) < 1, 6, 2)
  mapply(function(value, digits) {
    paste0("$", formatC(value, format = "f", digits = digits, big.mark = ","))
  }, usd, digits, USE.NAMES = FALSE)
}
