#!/usr/bin/env Rscript
# Keeps the prices of coins in Redis, for other jobs and apps to read.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
app <- dirname(normalizePath(gsub("~+~", " ", file, fixed = TRUE)))
for (part in c("exchange", "job", "prices", "redis")) {
  source(file.path(app, "R", paste0(part, ".R")))
}

run_job(
  "cache-prices.R",
  about = paste(
    "Writes the prices of coins in USD into Redis: price:COIN for each, and price:updated.",
    "Reads EXCHANGE_URL and REDIS_URL from the environment."
  ),
  options = list(coins = coins_option()),
  main = function(args) {
    prices <- exchange_coins(args$coins)
    text <- paste0(names(prices), " ", format_usd(prices), collapse = ", ")
    if (args$dry_run) {
      cat("would cache:", text, "\n")
    } else {
      con <- redis_connect()
      on.exit(redis_close(con))
      cache_prices(con, prices)
      logger::log_info("cached", text)
    }
  }
)
