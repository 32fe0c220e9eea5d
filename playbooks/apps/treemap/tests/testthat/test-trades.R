test_that("totals are read, kept while Redis is away, and read again when it is back", {
  server <- start_redis()
  con <- client(server$url)
  read <- trade_reader(server$url)
  expect_identical(read()$count, stats::setNames(numeric(), character()))

  redis_command(con, "HSET", "trades:count", "BTCUSDT", "3")
  redis_command(con, "HSET", "trades:amount_e8", "BTCUSDT", "250000000")
  known <- read()
  expect_identical(known$count, c(BTCUSDT = 3))
  expect_identical(known$amount, c(BTCUSDT = 2.5))
  expect_null(known$problem)

  server$process$kill()
  for (time in 1:2) {
    away <- read()
    expect_identical(away[c("count", "amount")], known[c("count", "amount")])
    expect_match(away$problem, "Redis at 127.0.0.1")
  }
  server <- start_redis(server$port)
  expect_null(read()$problem)
  expect_length(read()$count, 0)
})

test_that("amounts are valued at the base coin's price", {
  expect_identical(base_coin(c("BTCUSDT", "LTCBTC", "BNBETH", "NEOBNB", "BTCUSDC", "USDT", "X")),
                   c("BTC", "LTC", "BNB", "NEO", "BTC", NA, NA))
  amount <- c(BTCUSDT = 2, LTCBTC = 10, XYZ = 1, FOOUSDT = 1)
  expect_identical(value_usd(amount, c(BTC = 8300, LTC = 50, USDT = 1)),
                   c(BTCUSDT = 16600, LTCBTC = 500, XYZ = NA, FOOUSDT = NA))
})

ok <- list(count = c(BTCUSDT = 2, XYZ = 1), amount = c(BTCUSDT = 0.5, XYZ = 7), problem = NULL)
away <- function(trades) utils::modifyList(trades, list(problem = "Redis is away"))
prices <- list(usd = c(BTC = 8000), at = as.POSIXct("2026-11-30 07:05:00", tz = "UTC"),
               problem = NULL)

test_that("transactions: the usual, none yet, and Redis away", {
  usual <- count_view(ok)
  expect_identical(usual[c("total", "note", "empty", "stale")],
                   list(total = "3", note = "", empty = "", stale = FALSE))
  expect_match(count_view(list(count = numeric()))$empty, "No trades yet")
  gone <- count_view(away(ok))
  expect_identical(gone$note, paste("Redis is away. Trying again every 2 seconds.",
                                    "These are the last known numbers."))
  expect_true(gone$stale)
  never <- count_view(away(list()))
  expect_identical(c(never$total, never$empty), c("0", "Waiting for Redis \u2026"))
})

test_that("values: with prices, old prices, and none", {
  usual <- value_view(ok, prices)
  expect_identical(usual$values, c(BTCUSDT = 4000))
  expect_identical(usual$total, "$4,000")
  expect_identical(usual$note, "No price for XYZ.")
  old <- value_view(ok, c(prices[1:2], problem = "too many requests"))
  expect_identical(old$total, "$4,000")
  expect_match(old$note, "The exchange is away (too many requests). These are its prices of 07:05",
               fixed = TRUE)
  expect_match(value_view(ok, list(problem = "timeout"))$empty, "yet: timeout. Trying again")
  expect_match(value_view(ok, list())$empty, "Asking")
})
