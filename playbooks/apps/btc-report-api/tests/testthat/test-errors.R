error_of <- function(expression) tryCatch(expression, error = identity)

test_that("a wrong parameter is the caller's fault", {
  answer <- error_answer(error_of(refuse("limit must be a number")), 5)
  expect_equal(answer, list(status = 400L, message = "limit must be a number"))
})

test_that("the exchange's refusal is passed on", {
  answer <- error_answer(exchange_condition("exchange_refused", "Invalid symbol.", 400L), 5)
  expect_equal(answer$status, 400L)
  expect_equal(answer$message, "the exchange refused: Invalid symbol.")
})

test_that("a missing exchange gives a reason and a time to come back", {
  down <- function(...) exchange_condition("exchange_unavailable", "connection refused", ...)
  answer <- error_answer(down(), 4.2)
  expect_equal(answer$status, 503L)
  expect_equal(answer$message, "the exchange does not answer: connection refused")
  expect_equal(answer$headers, list("Retry-After" = "5"))
  expect_equal(error_answer(down(), 0)$headers, list("Retry-After" = "1"))
  expect_equal(error_answer(down(retry_after = 17L), 5)$headers, list("Retry-After" = "17"))
})

test_that("anything else is kept inside", {
  answer <- error_answer(error_of(stop("password is 1234")), 5)
  expect_equal(answer, list(status = 500L, message = "internal error"))
})

test_that("what goes wrong inside a picture stays inside, and in the log", {
  draw <- function() stop("the printer is on fire")
  api <- plumber::pr() |>
    plumber::pr_get("/plot", draw, serializer = plumber::serializer_png()) |>
    plumber::pr_set_error(handle_error(5))
  log <- NULL
  start_logging()
  logger::log_appender(function(lines) log <<- lines)
  withr::defer(start_logging())

  request <- list2env(list(
    REQUEST_METHOD = "GET", PATH_INFO = "/plot", QUERY_STRING = "",
    rook.input = list(read = function(...) raw(), read_lines = function(...) "", rewind = identity)
  ))
  response <- api$call(request)
  expect_equal(response$status, 500L)
  expect_equal(response$headers[["Content-Type"]], "application/json")
  expect_equal(as.character(response$body), '{"error":"internal error"}')
  expect_match(log, "^ERROR .* GET /plot: the printer is on fire$")
})

test_that("a setting that is no number is refused with its name", {
  withr::local_envvar(CACHE_SECONDS = "five")
  expect_error(number_setting("CACHE_SECONDS", 5), "CACHE_SECONDS .* not `five`")
  withr::local_envvar(CACHE_SECONDS = "-1")
  expect_error(number_setting("CACHE_SECONDS", 5), "at least 0")
  withr::local_envvar(CACHE_SECONDS = NA)
  expect_equal(number_setting("CACHE_SECONDS", 5), 5)
  expect_error(start_logging("LOUD"), "LOG_LEVEL must be one of .* not `LOUD`")
})
