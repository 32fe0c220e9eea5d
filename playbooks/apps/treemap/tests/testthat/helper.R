# What the tests share: the app's code, and a Redis server of their own.
app_folder <- normalizePath(testthat::test_path("..", ".."))
for (file in list.files(file.path(app_folder, "R"), full.names = TRUE)) source(file)

free_port <- function() {
  httpuv::randomPort(20000, 29999)
}

#' Start redis-server; stopped again when `env` (the test) ends.
start_redis <- function(port = free_port(), env = parent.frame()) {
  if (Sys.which("redis-server") == "") testthat::skip("redis-server is not installed")
  server <- processx::process$new("redis-server", c("--port", port, "--bind", "127.0.0.1",
                                                    "--save", "", "--appendonly", "no"))
  withr::defer(server$kill(), envir = env)
  url <- sprintf("redis://127.0.0.1:%d", port)
  expect_soon(tryCatch(is.null(redis_close(redis_connect(url))), redis_lost = function(e) FALSE))
  list(process = server, port = port, url = url)
}

#' Wait until the condition holds; fail when it does not within some seconds.
expect_soon <- function(condition, seconds = 20) {
  condition <- substitute(condition)
  until <- Sys.time() + seconds
  while (Sys.time() < until) {
    if (isTRUE(eval(condition, parent.frame()))) return(testthat::succeed())
    Sys.sleep(0.05)
  }
  testthat::fail(paste("did not come true:", deparse1(condition)))
}

#' A connection that is closed when `env` (the test) ends.
client <- function(url, env = parent.frame()) {
  con <- redis_connect(url)
  withr::defer(redis_close(con), envir = env)
  con
}
