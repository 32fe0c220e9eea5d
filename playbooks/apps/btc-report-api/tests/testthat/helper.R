app <- normalizePath("../..")
for (file in list.files(file.path(app, "R"), pattern = "[.]R$", full.names = TRUE)) {
  source(file)
}

#' Candles from a few prices, a minute each
some_candles <- function(open, close, low = pmin(open, close), high = pmax(open, close),
                         symbol = "BTCUSDT", interval = "1m") {
  start <- as.POSIXct("2026-11-30 08:00:00", tz = "UTC") + 60 * (seq_along(open) - 1)
  list(
    request = list(symbol = symbol, interval = interval, limit = length(open)),
    klines = data.table::data.table(
      open_time = start, open = open, high = high, low = low, close = close,
      close_time = start + 59.999
    ),
    updated = as.POSIXct("2026-11-30 09:30:00", tz = "UTC")
  )
}

#' The exchange that the tests of the whole service ask
exchange_for_tests <- function() {
  url <- Sys.getenv("EXCHANGE_URL")
  if (!nzchar(url)) {
    if (Sys.getenv("OFFLINE_TESTS") == "1") {
      testthat::skip("OFFLINE_TESTS=1")
    }
    stop(
      "EXCHANGE_URL is not set: start the simulated exchange and give its address, or set ",
      "OFFLINE_TESTS=1 to leave out what needs an exchange",
      call. = FALSE
    )
  }
  sub("/+$", "", url)
}

#' Start the service on a free port; it ends with the calling frame
start_api <- function(exchange, ..., frame = parent.frame()) {
  port <- httpuv::randomPort()
  log <- tempfile("api-")
  process <- processx::process$new(
    "Rscript", c("serve.R", "plumber.R"),
    wd = app, stdout = log, stderr = "2>&1", cleanup = TRUE,
    env = c("current", EXCHANGE_URL = exchange, PORT = port, LOG_LEVEL = "INFO", ...)
  )
  withr::defer(process$kill(), envir = frame)
  api <- list(url = sprintf("http://127.0.0.1:%d", port), log = log, process = process)
  for (attempt in seq_len(150)) {
    up <- tryCatch(httr::status_code(ask(api, "/healthz")) == 200L, error = function(e) FALSE)
    if (up) {
      return(api)
    }
    if (!process$is_alive()) {
      break
    }
    Sys.sleep(0.1)
  }
  stop("the service did not start: ", paste(readLines(log), collapse = "\n"), call. = FALSE)
}

#' One GET of the service
ask <- function(api, path) {
  httr::GET(paste0(api$url, path), httr::timeout(30))
}

body_text <- function(response) {
  httr::content(response, as = "text", encoding = "UTF-8")
}

body_json <- function(response) {
  jsonlite::fromJSON(body_text(response))
}

#' Whether a response is a PNG picture, by its type and its first bytes
is_png <- function(response) {
  signature <- as.raw(c(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a))
  httr::http_type(response) == "image/png" &&
    identical(utils::head(httr::content(response, as = "raw"), 8), signature)
}
