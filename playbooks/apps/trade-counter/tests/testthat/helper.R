# What the tests share: the app's code, and a Redis server of their own.
app_folder <- normalizePath(testthat::test_path("..", ".."))
for (file in list.files(file.path(app_folder, "R"), full.names = TRUE)) source(file)

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

#' Start redis-server on a free port; stopped again when `env` (the test) ends.
start_redis <- function(port = free_port(), args = character(), env = parent.frame()) {
  if (Sys.which("redis-server") == "") testthat::skip("redis-server is not installed")
  server <- processx::process$new(
    "redis-server",
    c("--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", args)
  )
  withr::defer(server$kill(), envir = env)
  url <- sprintf("redis://127.0.0.1:%d", port)
  for (attempt in 1:100) {
    con <- tryCatch(redis_connect(url), redis_lost = function(e) NULL, redis_error = identity)
    if (!is.null(con)) break
    Sys.sleep(0.05)
  }
  if (inherits(con, "redis")) redis_close(con)
  list(process = server, port = port, url = url)
}

#' A connection that is closed when `env` (the test) ends.
client <- function(url, ..., env = parent.frame()) {
  con <- redis_connect(url, ...)
  withr::defer(redis_close(con), envir = env)
  con
}
