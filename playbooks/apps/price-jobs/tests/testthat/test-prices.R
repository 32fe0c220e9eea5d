test_that("cached prices are read while they are fresh", {
  con <- local_redis()
  now <- as.POSIXct("2026-11-30 12:00:00", tz = "UTC")
  expect_null(cached_price(con, "BTC", now))
  cache_prices(con, c(BTC = 20123.45, ETH = 0.00012345), now)
  expect_identical(redis_command(con, "GET", "price:updated"), "2026-11-30T12:00:00Z")
  expect_identical(redis_command(con, "GET", "price:BTC"), "20123.45")
  expect_identical(cached_price(con, "BTC", now + 300), 20123.45)
  expect_identical(cached_price(con, "ETH", now), 0.00012345)
  expect_null(cached_price(con, "BTC", now + 301))
  expect_null(cached_price(con, "LTC", now))
})

test_that("what is no price or no time in the cache is not believed", {
  con <- local_redis()
  redis_command(con, "SET", "price:BTC", "20000")
  expect_null(cached_price(con, "BTC"))
  redis_command(con, "SET", "price:updated", "yesterday")
  expect_null(cached_price(con, "BTC"))
  redis_command(con, "SET", "price:updated", iso_time(Sys.time()))
  expect_identical(cached_price(con, "BTC"), 20000)
  redis_command(con, "SET", "price:BTC", "a lot")
  expect_null(cached_price(con, "BTC"))
})

test_that("the price of an hour or a day ago is the one of that time", {
  withr::local_envvar(EXCHANGE_URL = need_exchange())
  # The opening price of the candlestick of that time, asked for by the time.
  opened <- function(interval, seconds, ago) {
    start <- floor(as.numeric(Sys.time()) / seconds) * seconds - ago
    rows <- exchange_get("/api/v3/klines", list(
      symbol = "BTCUSDT", interval = interval, limit = 1,
      startTime = format(start * 1000, scientific = FALSE)
    ))
    as.numeric(rows[[1]][[2]])
  }
  # Before and after, as a candlestick may end meanwhile.
  before <- c(opened("1m", 60, 3600), opened("5m", 300, 86400))
  seen <- c(price_ago("BTC", "hour"), price_ago("BTC", "day"))
  after <- c(opened("1m", 60, 3600), opened("5m", 300, 86400))
  expect_true(all(seen == before | seen == after))
})

test_that("dollars are written with thousands, and cheap coins with more digits", {
  expect_identical(
    format_usd(c(8300.1, 1234567.891, 0.123456, 0, 1)),
    c("$8,300.10", "$1,234,567.89", "$0.123456", "$0.00", "$1.00")
  )
})

test_that("an hour's text has the extremes of the candles, not of their closing prices", {
  klines <- data.frame(
    open = c(10, 11), high = c(15, 12), low = c(9, 7), close = c(11, 8.5)
  )
  expect_identical(
    hour_text("BTC", klines), "BTC in the past hour: min $7.00, max $15.00, now $8.50"
  )
})
