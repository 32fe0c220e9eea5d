# The candlestick chart.

library(ggplot2)

direction_colors <- c(up = "#1a9850", down = "#d73027")

#' Candlesticks as a ggplot: bodies from open to close, whiskers from low to high
candle_chart <- function(candles) {
  klines <- candles$klines
  request <- candles$request
  updated <- format(candles$updated, "%Y-%m-%d %H:%M:%S UTC", tz = "UTC")
  ggplot(chart_data(klines), aes(x = .data$open_time, colour = .data$direction)) +
    # Caps on the whiskers, so that a candle whose price never moved is seen too.
    geom_errorbar(
      aes(ymin = .data$low, ymax = .data$high),
      linewidth = 0.3, width = 0.6 * candle_seconds(klines)
    ) +
    geom_linerange(
      aes(ymin = .data$open, ymax = .data$close),
      linewidth = body_width(nrow(klines))
    ) +
    scale_colour_manual(values = direction_colors, guide = "none") +
    scale_x_datetime(date_labels = time_format(request$interval)) +
    scale_y_continuous(labels = price_labels(request$symbol)) +
    labs(
      title = paste("Last updated:", updated),
      subtitle = sprintf("%s, %s candles: %d", request$symbol, request$interval, nrow(klines)),
      x = NULL, y = NULL
    ) +
    theme_bw() +
    theme(plot.margin = margin(5, 20, 5, 5)) # the last label of time may reach over the edge
}

#' Candles with the direction of their price; one that stands still counts as up
chart_data <- function(klines) {
  direction <- ifelse(klines$close < klines$open, "down", "up")
  data.frame(klines, direction = factor(direction, levels = names(direction_colors)))
}

#' Line width of a body, so that any number of candles fits side by side
body_width <- function(candles) {
  min(8, max(0.4, 200 / candles))
}

#' Seconds that one candle covers
candle_seconds <- function(klines) {
  as.numeric(klines$close_time[1] - klines$open_time[1], units = "secs")
}

#' Labels of time: ggplot2 chooses, but for seconds it would show nothing else
time_format <- function(interval) {
  if (grepl("s$", interval)) "%H:%M:%S" else waiver()
}

#' Dollars, or plain numbers for a pair whose price is in another coin
price_labels <- function(symbol) {
  if (grepl("USD[A-Z]?$", symbol)) {
    scales::label_dollar()
  } else {
    scales::label_number(accuracy = NULL, big.mark = ",")
  }
}
