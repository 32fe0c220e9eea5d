state <- function(...) alert_states("BTC", ...)$state

test_that("a price beyond a limit is told, a price on it is not", {
  expect_identical(state(19999.99, below = 20000, above = 22000), c("below", ""))
  expect_identical(state(20000, below = 20000, above = 22000), c("", ""))
  expect_identical(state(22000, below = 20000, above = 22000), c("", ""))
  expect_identical(state(22000.01, below = 20000, above = 22000), c("", "above"))
})

test_that("an hour's change counts in dollars, both ways", {
  expect_identical(state(20200, hour = 200, hour_ago = 20000), "")
  expect_identical(state(20201, hour = 200, hour_ago = 20000), "rose")
  expect_identical(state(19799, hour = 200, hour_ago = 20000), "fell")
})

test_that("a day's change counts in percent of the earlier price", {
  expect_identical(percent_change(20000, 21000), 5)
  expect_identical(percent_change(21000, 20000), -100 / 21)
  expect_identical(state(21000, day = 5, day_ago = 20000), "")
  expect_identical(state(21001, day = 5, day_ago = 20000), "rose")
  # 1000 of 21000 is less than 5%
  expect_identical(state(20000, day = 5, day_ago = 21000), "")
  expect_identical(state(18999, day = 5, day_ago = 20000), "fell")
})

test_that("alerts say what happened, in words", {
  states <- alert_states("BTC", 18500.5,
    below = 20000, hour = 200, hour_ago = 18800, day = 5, day_ago = 20000
  )
  expect_identical(states$text, c(
    "BTC is at $18,500.50, below $20,000.00",
    "BTC fell $299.50 in the past hour, to $18,500.50",
    "BTC fell 7.5% in the past day, to $18,500.50"
  ))
})

test_that("each crossing is said once, and again after the price was back", {
  con <- local_redis()
  look <- function(price, ...) {
    states <- alert_states("BTC", price, ...)
    say <- alerts_to_say(states, said_alerts(con, "BTC", states))
    remember_alerts(con, "BTC", states)
    say
  }
  prices <- c(21000, 19000, 18000, 20500, 19500, 25000, 19500)
  said <- lapply(prices, look, below = 20000, above = 22000)
  below <- vapply(said, `[`, logical(1), 1)
  above <- vapply(said, `[`, logical(1), 2)
  expect_identical(below, c(FALSE, TRUE, FALSE, FALSE, TRUE, FALSE, TRUE))
  expect_identical(above, c(FALSE, FALSE, FALSE, FALSE, FALSE, TRUE, FALSE))
  # Another limit is another rule.
  expect_true(look(19500, below = 19800))
})

test_that("a change that turns round is said, though it was never small", {
  con <- local_redis()
  states <- alert_states("BTC", 20300, hour = 200, hour_ago = 20000)
  remember_alerts(con, "BTC", states)
  expect_false(alerts_to_say(states, said_alerts(con, "BTC", states)))
  states <- alert_states("BTC", 19700, hour = 200, hour_ago = 20000)
  expect_true(alerts_to_say(states, said_alerts(con, "BTC", states)))
})

test_that("coins do not share what was said", {
  con <- local_redis()
  states <- alert_states("BTC", 1, below = 20000)
  remember_alerts(con, "BTC", states)
  expect_identical(said_alerts(con, "BTC", states), "below")
  expect_identical(said_alerts(con, "ETH", states), "")
  expect_identical(redis_command(con, "KEYS", "*"), list("alert:BTC:below:20000"))
})
