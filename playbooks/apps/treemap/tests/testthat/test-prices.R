# A stand-in exchange in its own process: it answers, or fails, as the file `mode` says.
start_exchange <- function(env = parent.frame()) {
  port <- free_port()
  mode <- withr::local_tempfile(lines = "ok", .local_envir = env)
  server <- callr::r_bg(function(port, mode) {
    httpuv::runServer("127.0.0.1", port, list(call = function(request) {
      answers <- readLines(mode) == "ok" && request$PATH_INFO == "/api/v3/ticker/price"
      list(status = if (answers) 200L else 503L, headers = list(),
           body = if (answers) '[{"symbol":"BTCUSDT","price":"8300.10"}]' else "{}")
    }))
  }, list(port, mode))
  withr::defer(server$kill(), envir = env)
  url <- sprintf("http://127.0.0.1:%d", port)
  expect_soon(tryCatch(httr::status_code(httr::GET(url)) == 503, error = function(e) FALSE))
  withr::local_envvar(EXCHANGE_URL = url, .local_envir = env)
  list(set = function(new) writeLines(new, mode))
}

test_that("prices are asked without waiting, and the last known ones survive an outage", {
  exchange <- start_exchange()
  asked <- 0
  read <- price_reader(ask = function() {
    asked <<- asked + 1
    ask_prices(app_folder)
  })
  expect_lt(system.time(first <- read())[["elapsed"]], 2)
  expect_null(first$usd)
  expect_soon(!is.null(read()$usd))
  expect_identical(read()$usd, c(USDT = 1, BTC = 8300.1))
  expect_null(read()$problem)

  asked_before <- asked
  read()
  expect_identical(asked, asked_before) # they are good for a minute
})

test_that("an exchange that is away gives a reason", {
  exchange <- start_exchange()
  exchange$set("down")
  read <- price_reader(ask = function() ask_prices(app_folder))
  expect_soon(!is.null(read()$problem))
  expect_match(read()$problem, "HTTP 503")
  expect_null(read()$usd)
})

test_that("an outage keeps the last prices and is over with the next answer", {
  answers <- list(list(usd = c(BTC = 1)), list(problem = "away"), list(usd = c(BTC = 2)))
  next_answer <- function() {
    answer <- answers[[1]]
    answers <<- answers[-1]
    answer
  }
  done_job <- list(is_alive = function() FALSE, get_result = next_answer)
  read <- price_reader(ask = function() done_job)
  skip_time <- function() assign("due", Sys.time(), environment(read))
  read()
  expect_identical(read()[c("usd", "problem")], list(usd = c(BTC = 1), problem = NULL))
  skip_time()
  read()
  expect_identical(read()[c("usd", "problem")], list(usd = c(BTC = 1), problem = "away"))
  skip_time()
  read()
  expect_identical(read()[c("usd", "problem")], list(usd = c(BTC = 2), problem = NULL))
})
