#!/usr/bin/env Rscript
# Tells what the transactions counted in Redis are worth at the prices of now.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
app <- dirname(normalizePath(gsub("~+~", " ", file, fixed = TRUE)))
for (part in c("exchange", "job", "parameter", "prices", "redis", "slack", "value")) {
  source(file.path(app, "R", paste0(part, ".R")))
}

run_job(
  "stream-value.R",
  about = paste(
    "Prints the overall value in USD of the transactions that trade-counter counted in Redis, at",
    "the prices of now."
  ),
  options = list(slack = list(about = "Post it to Slack, too")),
  main = function(args) {
    con <- redis_connect()
    on.exit(redis_close(con))
    prefix <- Sys.getenv("REDIS_PREFIX", "trades")
    amounts <- redis_hash(con, paste0(prefix, ":amount_e8"))
    counts <- redis_hash(con, paste0(prefix, ":count"))
    values <- traded_value(amounts, coin_prices())
    transactions <- sum(as.numeric(counts))
    text <- value_text(values, transactions)
    cat(text, sep = "\n")
    if (args$slack && transactions > 0) {
      announce(paste(text, collapse = "\n"), dry_run = args$dry_run)
    }
  }
)
