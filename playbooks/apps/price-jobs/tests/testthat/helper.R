# What the tests share: the app's code, a Redis of their own, a Slack that answers as told, and
# the simulated exchange at EXCHANGE_URL.
app_folder <- normalizePath(testthat::test_path("..", ".."))
for (file in list.files(file.path(app_folder, "R"), full.names = TRUE)) source(file)
logger::log_threshold("FATAL")

#' Address of the simulated exchange; without one a test fails, or is left out if that is intended
need_exchange <- function() {
  if (Sys.getenv("OFFLINE_TESTS") == "1") testthat::skip("OFFLINE_TESTS=1")
  url <- Sys.getenv("EXCHANGE_URL")
  if (url == "") {
    stop(
      "this test needs the simulated exchange: start it, and set EXCHANGE_URL to its address, ",
      "or OFFLINE_TESTS=1 to leave such tests out",
      call. = FALSE
    )
  }
  url
}

free_port <- function() {
  for (port in sample(20000:29999, 50)) {
    socket <- tryCatch(suppressWarnings(serverSocket(port)), error = function(e) NULL)
    if (!is.null(socket)) {
      close(socket)
      return(port)
    }
  }
  stop("no free port found")
}

#' Wait until `look()` is true
wait_until <- function(what, look) {
  for (attempt in 1:200) {
    if (tryCatch(isTRUE(look()), error = function(e) FALSE)) {
      return(invisible())
    }
    Sys.sleep(0.05)
  }
  stop(what, " does not start")
}

#' A connection to a Redis of its own, closed when the test ends
local_redis <- function(env = parent.frame()) {
  con <- redis_connect(start_redis(env))
  withr::defer(redis_close(con), envir = env)
  con
}

#' Start Redis on a free port until the test ends; its address
start_redis <- function(env = parent.frame()) {
  port <- free_port()
  server <- processx::process$new("redis-server", c(
    "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"
  ))
  withr::defer(server$kill(), envir = env)
  url <- sprintf("redis://127.0.0.1:%d", port)
  wait_until("Redis", function() {
    redis_close(redis_connect(url))
    TRUE
  })
  url
}

#' Start a Slack that gives these answers, by path; its address, and the requests that it got
start_slack <- function(answers, env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  port <- free_port()
  url <- sprintf("http://127.0.0.1:%d", port)
  file <- file.path(folder, "answers.json")
  bodies <- lapply(answers, function(answer) gsub("SELF", url, answer, fixed = TRUE))
  writeLines(jsonlite::toJSON(bodies, auto_unbox = TRUE), file)
  log <- file.path(folder, "requests")
  server <- processx::process$new(
    "Rscript", c(testthat::test_path("slack.R"), port, file, log),
    stderr = file.path(folder, "errors")
  )
  withr::defer(server$kill(), envir = env)
  wait_until("Slack", function() httr::status_code(httr::GET(url)) == 404)
  requests <- function() {
    if (file.exists(log)) lapply(readLines(log), jsonlite::fromJSON, simplifyVector = FALSE)
  }
  list(url = url, requests = requests)
}

#' Start a script of the app, in a folder and with variables of its own
start_script <- function(script, ..., env = character(), folder = tempdir()) {
  out <- tempfile("out")
  process <- processx::process$new(
    file.path(app_folder, script), as.character(c(...)),
    wd = folder, stdout = out, stderr = paste0(out, ".err"),
    env = c(
      "current",
      SLACK_TOKEN = "", SLACK_TOKEN_PARAMETER = "", SLACK_WEBHOOK_URL = "", SLACK_CHANNEL = "",
      SLACK_URL = "", COINS = "BTC,ETH", LOG_LEVEL = "INFO", env
    )
  )
  list(process = process, out = out)
}

#' Wait for a script's end: its status, and what it wrote
ended <- function(started) {
  started$process$wait(60000)
  started$process$kill()
  text <- function(file) paste(c(readLines(file), ""), collapse = "\n")
  list(
    status = started$process$get_exit_status(),
    stdout = text(started$out), stderr = text(paste0(started$out, ".err"))
  )
}

#' Run a script to its end
run_script <- function(...) ended(start_script(...))

#' What the simulated exchange's Slack has of this channel, or of texts that hold these words
posted <- function(exchange, channel = NULL, words = NULL) {
  seen <- jsonlite::fromJSON(
    rawToChar(httr::GET(paste0(exchange, "/control/slack"))$content),
    simplifyVector = FALSE
  )
  here <- function(one) {
    if (is.null(words)) identical(one$channel, channel) else grepl(words, one$text, fixed = TRUE)
  }
  list(
    texts = vapply(Filter(here, seen$posts), function(post) post$text, ""),
    via = unique(vapply(Filter(here, seen$posts), function(post) post$via, "")),
    files = Filter(function(file) identical(file$channel, channel), seen$files)
  )
}
