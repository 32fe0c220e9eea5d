response <- function(status, body, ...) {
  headers <- httr::insensitive(list("content-type" = "application/json", ...))
  structure(
    list(status_code = status, headers = headers, content = charToRaw(body)),
    class = "response"
  )
}

test_that("JSON becomes lists", {
  expect_equal(exchange_answer(response(200L, '[[1,"2"]]')), list(list(1L, "2")))
})

test_that("the exchange's own refusal is told in its words", {
  error <- expect_error(
    exchange_answer(response(400L, '{"code":-1121,"msg":"Invalid symbol."}')),
    "^Invalid symbol.$",
    class = "exchange_refused"
  )
  expect_s3_class(error, "exchange_error")
})

test_that("everything else that is no answer means unavailable, with a reason", {
  unavailable <- function(..., reason) {
    expect_error(exchange_answer(response(...)), reason, class = "exchange_unavailable")
  }
  limited <- unavailable(429L, '{"msg":"Slow down."}', "retry-after" = "17",
    reason = "too many requests \\(HTTP 429\\): Slow down."
  )
  expect_equal(limited$retry_after, 17L)
  banned <- unavailable(418L, "", reason = "too many requests \\(HTTP 418\\)$")
  expect_equal(banned$retry_after, NA_integer_)
  unavailable(502L, "<html>", reason = "trouble on its side \\(HTTP 502\\)")
  unavailable(200L, "<html>", reason = "not JSON")
  unavailable(400L, "<html>", reason = "check EXCHANGE_URL \\(HTTP 400\\)")
  unavailable(404L, "{}", reason = "check EXCHANGE_URL \\(HTTP 404\\)")
})

test_that("rows of an unexpected form mean unavailable too", {
  expect_error(expect_fields(list(code = 0, msg = "?"), 12L), class = "exchange_unavailable")
  expect_silent(expect_fields(list(), 12L))
})

test_that("milliseconds are times in UTC", {
  expect_equal(format(utc_time(1600000000000), usetz = TRUE), "2020-09-13 12:26:40 UTC")
})

test_that("the address has a default and no slash at its end", {
  withr::local_envvar(EXCHANGE_URL = "http://127.0.0.1:9/")
  expect_equal(exchange_url(), "http://127.0.0.1:9")
  withr::local_envvar(EXCHANGE_URL = "")
  expect_equal(exchange_url(), "https://api.binance.com")
})
