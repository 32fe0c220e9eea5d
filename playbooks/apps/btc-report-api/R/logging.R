# Log lines: one for each answer on stdout, errors on stderr.

#' Set up logger by LOG_LEVEL
start_logging <- function(level = Sys.getenv("LOG_LEVEL", "INFO")) {
  levels <- c("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")
  if (!level %in% levels) {
    stop(sprintf("LOG_LEVEL must be one of %s, not `%s`", toString(levels), level), call. = FALSE)
  }
  for (namespace in c("access", "global")) {
    logger::log_threshold(level, namespace = namespace)
    # The default formatter evaluates what is in braces: never do that to a URL.
    logger::log_formatter(logger::formatter_sprintf, namespace = namespace)
  }
  logger::log_appender(logger::appender_stdout, namespace = "access")
  logger::log_appender(logger::appender_stderr, namespace = "global")
}

#' Hooks for plumber that log method, path, status and milliseconds of each answer
access_log <- function() {
  list(
    preroute = function(data) {
      data$started <- Sys.time()
    },
    postserialize = function(data, req, res, value) {
      took <- as.numeric(Sys.time() - data$started, units = "secs")
      logger::log_info(
        "%s %s %d %.0f ms",
        req$REQUEST_METHOD, req$PATH_INFO, as.integer(res$status), 1000 * took,
        namespace = "access"
      )
      value
    }
  )
}
