# A small Redis client: RESP2 over a base R socket.
# Several apps carry an identical copy of this file.
#
# Conditions: `redis_lost` when there is no usable connection (connect again),
# `redis_error` when Redis itself refuses a command.

#' Open a connection; `url` is `redis://[[user]:password@]host[:port][/db]`.
redis_connect <- function(url = Sys.getenv("REDIS_URL", "redis://127.0.0.1:6379"),
                          timeout = 10) {
  at <- redis_parse_url(url)
  con <- new.env(parent = emptyenv())
  con$address <- paste0(at$host, ":", at$port)
  con$socket <- tryCatch(
    suppressWarnings(socketConnection(at$host, at$port, open = "r+b", blocking = TRUE,
                                      timeout = timeout)),
    error = function(e) redis_lost(con, "cannot connect")
  )
  class(con) <- "redis"
  # A connection that may not be used is not handed out, nor left open.
  withCallingHandlers({
    if (!is.null(at$password)) do.call(redis_command, c(list(con, "AUTH"), at$user, at$password))
    if (at$db != 0) redis_command(con, "SELECT", at$db) else redis_command(con, "PING")
  }, error = function(e) redis_close(con))
  con
}

#' Send one command and return its reply: text, number, NULL or list.
redis_command <- function(con, ...) {
  redis_pipeline(con, list(list(...)))[[1]]
}

#' Send many commands at once; each is a vector or list of arguments. A list of replies.
redis_pipeline <- function(con, commands) {
  redis_raise(redis_exchange(con, commands))
}

#' Run commands as one MULTI ... EXEC; NULL when a watched key was changed meanwhile.
redis_transaction <- function(con, commands) {
  replies <- redis_exchange(con, c(list("MULTI"), commands, list("EXEC")))
  refused <- Filter(is_redis_error, replies)
  # Redis answers a refused command first and EXECABORT last: the first says why.
  if (length(refused) > 0) stop(refused[[1]])
  redis_raise(replies[[length(replies)]])
}

#' A Redis hash as a named character vector (empty when there is none).
redis_hash <- function(con, key) {
  flat <- as.character(unlist(redis_command(con, "HGETALL", key)))
  field <- seq_along(flat) %% 2 == 1
  stats::setNames(flat[!field], flat[field])
}

#' Close the connection; harmless when it is closed already.
redis_close <- function(con) {
  if (!is.null(con$socket)) try(close(con$socket), silent = TRUE)
  con$socket <- NULL
  invisible(NULL)
}

redis_parse_url <- function(url) {
  form <- paste0("^redis://(?:([^:@/]*):([^@/]*)@)?([^:@/\\[\\]]+|\\[[0-9a-fA-F:.]+\\])",
                 "(?::(\\d+))?(?:/(\\d*))?$")
  part <- regmatches(url, regexec(form, url, perl = TRUE))[[1]]
  # The URL may hold a password, so the message does not repeat it.
  if (length(part) == 0) {
    stop("the Redis address must look like redis://[:password@]host[:port][/db]", call. = FALSE)
  }
  given <- function(i, default) if (nzchar(part[i])) utils::URLdecode(part[i]) else default
  list(user = given(2, NULL), password = given(3, NULL), host = gsub("^\\[|\\]$", "", part[4]),
       port = as.integer(given(5, "6379")), db = as.integer(given(6, "0")))
}

# Write all commands, then read one reply for each.
redis_exchange <- function(con, commands) {
  if (length(commands) == 0) return(list())
  if (is.null(con$socket)) redis_lost(con, "connection is closed")
  request <- do.call(c, lapply(commands, redis_encode))
  # R reports a broken socket as a warning, and the bytes as written.
  tryCatch(writeBin(request, con$socket),
           warning = function(w) redis_lost(con, "connection broke while writing"),
           error = function(e) redis_lost(con, "connection broke while writing"))
  lapply(commands, function(command) redis_read(con))
}

redis_encode <- function(command) {
  arguments <- lapply(as.list(command), redis_bytes)
  pieces <- lapply(arguments, function(bytes) {
    c(charToRaw(sprintf("$%d\r\n", length(bytes))), bytes, charToRaw("\r\n"))
  })
  c(charToRaw(sprintf("*%d\r\n", length(arguments))), unlist(pieces))
}

redis_bytes <- function(value) {
  if (is.raw(value)) return(value)
  stopifnot(length(value) == 1, !is.na(value))
  # as.character(100000) would be "1e+05", which is no integer to Redis.
  if (is.numeric(value)) value <- format(value, scientific = FALSE, digits = 15, trim = TRUE)
  charToRaw(enc2utf8(as.character(value)))
}

redis_read <- function(con) {
  line <- redis_read_line(con)
  rest <- substring(line, 2)
  switch(substr(line, 1, 1),
    "+" = rest,
    "-" = redis_refusal(con, rest),
    ":" = redis_integer(rest),
    "$" = redis_read_bulk(con, as.integer(rest)),
    "*" = redis_read_list(con, as.integer(rest)),
    redis_lost(con, "what answers there is not Redis")
  )
}

redis_read_line <- function(con) {
  line <- tryCatch(readLines(con$socket, 1), warning = function(w) character(),
                   error = function(e) character())
  if (length(line) == 0) redis_lost(con, "connection broke or timed out while reading")
  line
}

redis_read_bulk <- function(con, size) {
  if (size < 0) return(NULL)
  bytes <- tryCatch(readBin(con$socket, "raw", size + 2), error = function(e) raw())
  if (length(bytes) < size + 2) redis_lost(con, "connection broke or timed out while reading")
  bytes <- utils::head(bytes, size)
  if (any(bytes == 0)) return(bytes) # R text cannot hold a NUL
  text <- rawToChar(bytes)
  Encoding(text) <- "UTF-8"
  text
}

redis_read_list <- function(con, size) {
  # A list of size -1 is how EXEC says that a watched key has changed.
  if (size < 0) return(NULL)
  lapply(seq_len(size), function(i) redis_read(con))
}

# Integers a double cannot hold exactly stay text.
redis_integer <- function(text) {
  number <- as.numeric(text)
  if (abs(number) < 2^53) number else text
}

redis_refusal <- function(con, message) {
  # A server that still reads its data from disk is as good as away.
  if (grepl("^(LOADING|MASTERDOWN) ", message)) redis_lost(con, message)
  structure(class = c("redis_error", "error", "condition"),
            list(message = paste("Redis refused:", message), call = NULL))
}

is_redis_error <- function(reply) inherits(reply, "redis_error")

redis_raise <- function(replies) {
  refused <- Filter(is_redis_error, replies)
  if (length(refused) > 0) stop(refused[[1]])
  replies
}

# After a broken exchange a late reply could be taken for another's, so the socket goes too.
redis_lost <- function(con, reason) {
  redis_close(con)
  stop(structure(class = c("redis_lost", "error", "condition"),
                 list(message = sprintf("Redis at %s: %s", con$address, reason), call = NULL)))
}
