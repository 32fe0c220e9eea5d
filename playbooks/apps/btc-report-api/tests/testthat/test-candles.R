test_that("without parameters it is Bitcoin in the last 3 hours", {
  expect_equal(candle_request(), list(symbol = "BTCUSDT", interval = "1m", limit = 180L))
})

test_that("every interval of the exchange and both ends of the limit are allowed", {
  for (interval in strsplit("1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M", " ")[[1]]) {
    expect_equal(candle_request(interval = interval)$interval, interval)
  }
  expect_identical(candle_request(limit = "1")$limit, 1L)
  expect_identical(candle_request(limit = "1000")$limit, 1000L)
  expect_equal(candle_request(symbol = "ethbtc")$symbol, "ETHBTC")
})

test_that("a wrong limit is refused with the range", {
  for (limit in c("0", "1001", "-1", "1.5", "1e2", "abc", "", " 5", "99999999999999999999")) {
    expect_error(candle_request(limit = limit), "from 1 to 1000", class = "bad_request")
  }
})

test_that("a wrong interval is refused with the list", {
  for (interval in c("1x", "", "1H", "60")) {
    expect_error(
      candle_request(interval = interval), "1s, 1m, 3m, .*, 1w, 1M$",
      class = "bad_request"
    )
  }
})

test_that("a wrong symbol is refused", {
  for (symbol in c("", "BTC/USDT", "BTC USDT", "BTC&limit=1", strrep("A", 21), "BTC\n")) {
    expect_error(candle_request(symbol = symbol), "such as BTCUSDT", class = "bad_request")
  }
})

test_that("a parameter given twice is refused", {
  expect_error(candle_request(limit = c("1", "2")), "limit must be given once",
    class = "bad_request"
  )
})

test_that("statistics are of the closing prices", {
  stats <- price_stats(some_candles(open = c(9, 1, 3), close = c(1, 3, 8), high = c(99, 99, 99)))
  expect_equal(stats[, c(min, mean, max)], c(1, 4, 8))
  expect_equal(format(stats$from), "2026-11-30 08:00:00")
  expect_equal(as.numeric(stats$to - stats$from, units = "secs"), 179.999)
})

test_that("a pair without candles is refused, not drawn", {
  nothing <- function(key, compute) list(klines = data.table::data.table())
  expect_error(fetch_candles(candle_request(), nothing), "no candles of BTCUSDT",
    class = "bad_request"
  )
})
