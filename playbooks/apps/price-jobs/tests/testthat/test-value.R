test_that("the coin that a pair trades comes before the coin that pays", {
  pairs <- c("BTCUSDT", "ETHBTC", "BNBETH", "NEOBNB", "BTCFDUSD", "ETHUSDC", "XYZ")
  expect_identical(base_coin(pairs), c("BTC", "ETH", "BNB", "NEO", "BTC", "ETH", NA))
})

test_that("amounts of 10^-8 are worth their coin's price", {
  prices <- data.frame(symbol = c("BTC", "ETH", "USDT"), usd = c(20000, 1500, 1))
  amounts <- c(BTCUSDT = "150000000", ETHBTC = "200000000", ETHUSDT = "1", NEOBTC = "7")
  values <- traded_value(amounts, prices)
  expect_equal(values$usd, c(30000, 3000, 0.000015, NA))
  expect_identical(value_text(values, 1234567), c(
    "1,234,567 transactions are worth $33,000.00",
    "BTC: $30,000.00",
    "ETH: $3,000.00",
    "left out, as there is no price: NEOBTC"
  ))
})

test_that("nothing counted is said as that", {
  prices <- data.frame(symbol = "BTC", usd = 20000)
  nothing <- traded_value(setNames(character(), character()), prices)
  expect_identical(value_text(nothing, 0), "no transactions are counted yet")
})
