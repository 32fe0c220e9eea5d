# The whole service against the exchange at EXCHANGE_URL. It must be the simulated one, as the
# tests read how often it was asked.

requests <- function(exchange) {
  counts <- jsonlite::fromJSON(paste0(exchange, "/control/requests"))
  sum(counts[["/api/v3/klines"]])
}

test_that("a burst asks the exchange once, and every endpoint answers in its own form", {
  exchange <- exchange_for_tests()
  api <- start_api(exchange, CACHE_SECONDS = "60")
  before <- requests(exchange)
  burst <- curl::new_pool()
  statuses <- integer()
  for (i in 1:20) {
    path <- c("/stats", "/stats.csv", "/plot", "/report")[[1 + i %% 4]]
    curl::curl_fetch_multi(
      paste0(api$url, path),
      done = function(response) statuses <<- c(statuses, response$status_code),
      pool = burst
    )
  }
  curl::multi_run(pool = burst)
  expect_equal(statuses, rep(200L, 20))
  expect_equal(requests(exchange) - before, 1)

  ask(api, "/stats?limit=60")
  ask(api, "/klines?limit=60")
  expect_equal(requests(exchange) - before, 2)

  # Every endpoint answers in its own form.
  response <- ask(api, "/stats")
  expect_equal(httr::status_code(response), 200L)
  expect_equal(httr::http_type(response), "application/json")
  stats <- body_json(response)
  expect_equal(stats[c("symbol", "interval", "candles")],
    list(symbol = "BTCUSDT", interval = "1m", candles = 180L)
  )
  expect_true(0 < stats$min && stats$min <= stats$mean && stats$mean <= stats$max)
  expect_match(stats$from, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:00Z$")

  response <- ask(api, "/stats.csv?symbol=ETHBTC&interval=1h&limit=5")
  expect_equal(httr::status_code(response), 200L)
  expect_equal(httr::headers(response)[["content-type"]], "text/csv; charset=UTF-8")
  expect_match(body_text(response), "^symbol,interval,from,to,candles,min,mean,max\nETHBTC,1h,")
  table <- utils::read.csv(text = body_text(response))
  expect_equal(dim(table), c(1L, 8L))
  expect_equal(table$candles, 5L)
  expect_gt(table$min, 0)

  for (path in c("/plot", "/klines", "/klines?symbol=ethusdt&interval=1d&limit=1000")) {
    response <- ask(api, path)
    expect_equal(httr::status_code(response), 200L, info = path)
    expect_true(is_png(response), info = path)
  }
  expect_false(identical(
    httr::content(ask(api, "/klines?limit=10"), as = "raw"),
    httr::content(ask(api, "/klines?limit=20"), as = "raw")
  ))

  response <- ask(api, "/report")
  expect_equal(httr::status_code(response), 200L)
  expect_equal(httr::http_type(response), "text/html")
  page <- body_text(response)
  expect_match(page, "<title>Bitcoin[^<]*</title>")
  expect_match(page, format(Sys.time(), "%Y-%m-%d", tz = "UTC"), fixed = TRUE)
  expect_match(page, "<td[^>]*>\\$[0-9,.]+</td>")
  expect_match(page, "<img [^>]*src=\"data:image/png;base64,")
  expect_false(grepl("(src|href)=\"(?!data:|#)", page, perl = TRUE))

  response <- ask(api, "/klines?symbol=NOSUCHPAIR")
  expect_equal(httr::status_code(response), 400L)
  expect_match(body_json(response)$error, "^the exchange refused: .*symbol")
})
