clock <- function() {
  time <- 0
  list(now = function() time, pass = function(seconds) time <<- time + seconds)
}

counted <- function(answer) {
  calls <- 0
  list(compute = function() {
    calls <<- calls + 1
    answer(calls)
  }, calls = function() calls)
}

test_that("a key is computed once until its time is over", {
  time <- clock()
  remember <- new_cache(5, time$now)
  work <- counted(identity)
  expect_equal(remember("a", work$compute), 1)
  time$pass(4.9)
  expect_equal(remember("a", work$compute), 1)
  time$pass(0.1)
  expect_equal(remember("a", work$compute), 2)
})

test_that("keys do not mix", {
  remember <- new_cache(5)
  expect_equal(remember("BTC", function() 1), 1)
  expect_equal(remember("BT", function() 2), 2)
  expect_equal(remember("BTC", function() 3), 1)
})

test_that("time starts when the value is there", {
  time <- clock()
  remember <- new_cache(5, time$now)
  slow <- counted(function(call) time$pass(60))
  remember("report", slow$compute)
  time$pass(4)
  remember("report", slow$compute)
  expect_equal(slow$calls(), 1)
})

test_that("zero seconds switch the cache off", {
  remember <- new_cache(0)
  work <- counted(identity)
  remember("a", work$compute)
  expect_equal(remember("a", work$compute), 2)
})

test_that("a missing exchange is remembered, other errors are not", {
  time <- clock()
  remember <- new_cache(5, time$now)
  down <- counted(function(call) stop(exchange_condition("exchange_unavailable", "refused")))
  expect_error(remember("a", down$compute), "refused", class = "exchange_unavailable")
  expect_error(remember("a", down$compute), "refused", class = "exchange_unavailable")
  expect_equal(down$calls(), 1)
  time$pass(5)
  expect_equal(remember("a", function() "up again"), "up again")

  wrong <- counted(function(call) stop(exchange_condition("exchange_refused", "Invalid symbol.")))
  expect_error(remember("b", wrong$compute), class = "exchange_refused")
  expect_error(remember("b", wrong$compute), class = "exchange_refused")
  expect_equal(wrong$calls(), 2)
})

test_that("what is too old is forgotten, so that memory does not grow", {
  time <- clock()
  remember <- new_cache(5, time$now)
  for (key in as.character(1:50)) {
    remember(key, function() key)
    time$pass(1)
  }
  expect_lte(length(environment(remember)$entries), 6)
})
