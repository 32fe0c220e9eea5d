app_environment <- function(parent = parent.frame()) {
  env <- new.env(parent = parent)
  sys.source(file.path(app_folder, "app.R"), env)
  env
}

test_that("a session is sent both tabs, at once and at every change, laid out for its box", {
  env <- app_environment()
  env$polled$trades <- list(count = c(ETHBTC = 1, BTCUSDT = 3), amount = c(ETHBTC = 1, BTCUSDT = 2))
  env$polled$prices <- list(usd = c(BTC = 8000, ETH = 200))
  # What would go to the browser, by tab.
  sent <- list()
  browser <- list(sendCustomMessage = function(type, message) sent[[message$id]] <<- message)
  shiny::testServer(function(input, output, session) env$server(input, output, browser), {
    session$flushReact()
    expect_identical(sent$count$total, "4")
    expect_identical(sent$value$total, "$16,200")
    expect_identical(sapply(sent$count$tiles, `[[`, "symbol"), c("BTCUSDT", "ETHBTC"))

    session$setInputs(count_box = list(width = 400, height = 100))
    expect_equal(sapply(sent$count$tiles, `[[`, "width"), c(300, 100))

    env$polled$trades <- list(count = c(BTCUSDT = 5), problem = "Redis is away")
    session$flushReact()
    expect_identical(sent$count$total, "5")
    expect_true(sent$count$stale)
  })
})

test_that("the page has its stable ids and asks for its files by relative addresses", {
  port <- free_port()
  app <- callr::r_bg(function(folder, port) {
    shiny::runApp(folder, port = port, launch.browser = FALSE)
  }, list(app_folder, port), env = c(callr::rcmd_safe_env(), REDIS_URL = start_redis()$url,
                                     EXCHANGE_URL = "http://127.0.0.1:9"))
  withr::defer(app$kill())
  get <- function(path) httr::GET(sprintf("http://127.0.0.1:%d/%s", port, path))
  expect_soon(tryCatch(httr::status_code(get("")) == 200, error = function(e) FALSE))
  page <- httr::content(get(""), as = "text", encoding = "UTF-8")
  expect_match(page, 'Transactions (N=<span id="total">', fixed = TRUE)
  expect_match(page, '<span id="value-total">', fixed = TRUE)
  expect_no_match(page, '(src|href)="(/|https?:)')
  for (file in c("treemap.js", "treemap.css")) {
    expect_match(page, sprintf('"%s"', file), fixed = TRUE)
    expect_identical(httr::status_code(get(file)), 200L)
  }
})
