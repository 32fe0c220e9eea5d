layers_of <- function(chart) {
  ggplot2::ggplot_build(chart)$data
}

test_that("bodies go from open to close, whiskers from low to high", {
  candles <- some_candles(open = c(10, 12), close = c(12, 11), low = c(9, 10), high = c(13, 14))
  layers <- layers_of(candle_chart(candles))
  expect_equal(layers[[1]]$ymin, c(9, 10))
  expect_equal(layers[[1]]$ymax, c(13, 14))
  expect_equal(layers[[2]]$ymin, c(10, 12))
  expect_equal(layers[[2]]$ymax, c(12, 11))
})

test_that("green is up, red is down, whichever there are", {
  colors <- function(open, close) {
    layers_of(candle_chart(some_candles(open, close)))[[2]]$colour
  }
  expect_equal(colors(c(1, 2, 5), c(2, 1, 5)), c("#1a9850", "#d73027", "#1a9850"))
  expect_equal(colors(c(2, 3), c(1, 2)), c("#d73027", "#d73027"))
  expect_equal(colors(1, 2), "#1a9850")
})

test_that("the titles tell when, what and how many", {
  labels <- candle_chart(some_candles(1, 2, symbol = "ETHUSDT", interval = "1h"))$labels
  expect_equal(labels$title, "Last updated: 2026-11-30 09:30:00 UTC")
  expect_equal(labels$subtitle, "ETHUSDT, 1h candles: 1")
})

test_that("only prices in dollars have a dollar sign", {
  expect_equal(price_labels("BTCUSDT")(c(8300, 8310)), c("$8,300", "$8,310"))
  expect_equal(price_labels("ETHBTC")(c(0.0361, 0.0362)), c("0.0361", "0.0362"))
})

test_that("a thousand bodies are thinner than thirty", {
  expect_lt(body_width(1000), body_width(30))
  expect_gt(body_width(1000), 0)
})
