# The past hour of a coin: its numbers and its chart.

#' Candlesticks of a coin's past hour, a minute each
past_hour <- function(coin) {
  klines <- exchange_klines(paste0(coin, "USDT"), "1m", 60)
  if (nrow(klines) == 0) {
    stop("the exchange has no candlesticks of ", coin, call. = FALSE)
  }
  klines
}

#' One line with the lowest, highest and latest price
hour_text <- function(coin, klines) {
  sprintf(
    "%s in the past hour: min %s, max %s, now %s", coin,
    format_usd(min(klines$low)), format_usd(max(klines$high)),
    format_usd(klines$close[nrow(klines)])
  )
}

#' Write the chart of a coin's past hour as a PNG; there is never half a file to see
write_chart <- function(coin, klines, path) {
  candles <- list(
    klines = klines, request = list(symbol = paste0(coin, "USDT"), interval = "1m"),
    updated = Sys.time()
  )
  unfinished <- file.path(dirname(path), paste0(".", basename(path), ".unfinished.png"))
  on.exit(unlink(unfinished))
  ggplot2::ggsave(unfinished, candle_chart(candles), width = 10, height = 5, dpi = 120)
  if (!file.rename(unfinished, path)) {
    stop("cannot write ", path, call. = FALSE)
  }
}
