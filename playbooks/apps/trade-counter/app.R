#!/usr/bin/env Rscript
# Counts the trades of a Kinesis stream in Redis. Started once per shard by the MultiLangDaemon
# or by `tidewalk stream consume`. Standard output belongs to the protocol: logs go to stderr.

options(warn = 1)
script <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
for (file in list.files(file.path(dirname(normalizePath(script)), "R"), full.names = TRUE)) {
  source(file)
}

#' A number from the environment.
setting <- function(name, default) {
  value <- suppressWarnings(as.numeric(Sys.getenv(name, default)))
  if (is.na(value) || value < 1) stop(name, " must be a positive number", call. = FALSE)
  value
}

logger::log_appender(logger::appender_stderr)
logger::log_formatter(logger::formatter_sprintf)

tryCatch({
  logger::log_threshold(Sys.getenv("LOG_LEVEL", "INFO"))
  ledger <- ledger_open(
    url = Sys.getenv("REDIS_URL", "redis://127.0.0.1:6379"),
    prefix = Sys.getenv("REDIS_PREFIX", "trades"),
    patience = setting("REDIS_PATIENCE", 60),
    most_ranges = setting("SEEN_RANGES", 20000)
  )
  multilang_serve(trade_counter(ledger), file("stdin", "r"), stdout())
}, error = function(e) {
  # The daemon starts the program again and delivers from the last checkpoint.
  logger::log_fatal("%s", conditionMessage(e))
  quit(status = 1)
})
