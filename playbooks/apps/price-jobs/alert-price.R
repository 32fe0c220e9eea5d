#!/usr/bin/env Rscript
# Tells Slack when the price of a coin leaves its limits, once each time.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
app <- dirname(normalizePath(gsub("~+~", " ", file, fixed = TRUE)))
for (part in c("alerts", "exchange", "job", "parameter", "prices", "redis", "slack")) {
  source(file.path(app, "R", paste0(part, ".R")))
}

run_job(
  "alert-price.R",
  about = paste(
    "Posts to Slack when the price of a coin is below or above a limit, or changed by more than",
    "an amount or a share;\nonce, and again after it was back within. At least one limit is needed."
  ),
  options = list(
    coin = list(
      value = "COIN", example = "BTC", read = read_coin, default = "BTC",
      about = "The coin"
    ),
    below = list(
      value = "USD", example = "20000", read = read_number,
      about = "Alert when the price is below this"
    ),
    above = list(
      value = "USD", example = "22000", read = read_number,
      about = "Alert when the price is above this"
    ),
    hour = list(
      value = "USD", example = "200", read = read_number,
      about = "Alert when it changed by more than this in the past hour"
    ),
    day = list(
      value = "PERCENT", example = "5", read = read_number,
      about = "Alert when it changed by more than this in the past day"
    )
  ),
  main = function(args) {
    if (is.null(c(args$below, args$above, args$hour, args$day))) {
      job_usage("give at least one of --below, --above, --hour and --day")
    }
    con <- redis_connect()
    on.exit(redis_close(con))
    states <- alert_states(
      args$coin, current_price(con, args$coin),
      below = args$below, above = args$above,
      hour = args$hour, hour_ago = if (!is.null(args$hour)) price_ago(args$coin, "hour"),
      day = args$day, day_ago = if (!is.null(args$day)) price_ago(args$coin, "day")
    )
    new <- alerts_to_say(states, said_alerts(con, args$coin, states))
    if (any(new)) {
      announce(paste(states$text[new], collapse = "\n"), dry_run = args$dry_run)
    } else {
      logger::log_info("nothing new to say of", args$coin)
    }
    # After the post: one that failed is tried again the next time.
    if (!args$dry_run) {
      remember_alerts(con, args$coin, states)
    }
  }
)
