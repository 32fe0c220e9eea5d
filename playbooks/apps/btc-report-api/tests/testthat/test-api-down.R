# The service while its exchange does not answer: port 1 is closed everywhere.

test_that("without an exchange it is healthy, documented, and says what is missing", {
  api <- start_api("http://127.0.0.1:1", CACHE_SECONDS = "7")

  for (path in c("/stats", "/stats.csv", "/klines", "/plot", "/report")) {
    seconds <- system.time(response <- ask(api, path))[["elapsed"]]
    expect_equal(httr::status_code(response), 503L, info = path)
    expect_equal(httr::http_type(response), "application/json", info = path)
    expect_match(body_json(response)$error, "^the exchange does not answer: .*127.0.0.1")
    expect_equal(httr::headers(response)[["retry-after"]], "7", info = path)
    expect_lt(seconds, 5)
  }

  health <- ask(api, "/healthz")
  expect_equal(body_text(health), '{"status":"ok"}')

  wrong <- c("limit=0", "limit=x", "interval=2m", "symbol=%2F", "symbol=%ff", "limit=1&limit=2")
  for (query in wrong) {
    response <- ask(api, paste0("/klines?", query))
    expect_equal(httr::status_code(response), 400L, info = query)
    expect_named(body_json(response), "error")
  }
  expect_match(body_json(ask(api, "/stats?interval=2m"))$error, "must be one of 1s, 1m, 3m")

  missing <- ask(api, "/{stop('x')}")
  expect_equal(httr::status_code(missing), 404L)
  expect_match(body_json(missing)$error, "no such path")

  expect_equal(httr::status_code(ask(api, "/__docs__/")), 200L)
  parameters <- jsonlite::fromJSON(
    body_text(ask(api, "/openapi.json")),
    simplifyVector = FALSE
  )$paths$`/klines`$get$parameters
  names(parameters) <- vapply(parameters, function(parameter) parameter$name, character(1))
  expect_equal(parameters$interval$schema$enum, as.list(candle_parameters$interval$enum))
  expect_equal(parameters$limit$schema[c("type", "default", "minimum", "maximum")],
    list(type = "integer", default = 180L, minimum = 1L, maximum = 1000L)
  )

  log <- readLines(api$log)
  expect_match(log, "^INFO .* GET /stats 503 [0-9]+ ms$", all = FALSE)
  expect_match(log, "^ERROR .* GET /stats: Failed to connect", all = FALSE)
  expect_match(log, "^INFO .* GET /healthz 200 [0-9]+ ms$", all = FALSE)

  # SIGTERM ends it at once.
  api$process$signal(15L)
  api$process$wait(timeout = 3000)
  expect_false(api$process$is_alive())
})
