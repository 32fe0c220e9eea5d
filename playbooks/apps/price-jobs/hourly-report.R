#!/usr/bin/env Rscript
# Posts the past hour of coins to Slack: lowest and highest price, and a chart.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
app <- dirname(normalizePath(gsub("~+~", " ", file, fixed = TRUE)))
for (part in c("chart", "exchange", "job", "parameter", "prices", "report", "slack")) {
  source(file.path(app, "R", paste0(part, ".R")))
}

run_job(
  "hourly-report.R",
  about = paste(
    "Posts the lowest and highest price of the past hour to Slack, with a candlestick chart of",
    "each coin where\na bot's token is set up (a webhook cannot carry images)."
  ),
  options = list(coins = coins_option()),
  main = function(args) {
    folder <- tempfile("charts")
    dir.create(folder)
    on.exit(unlink(folder, recursive = TRUE))
    hours <- sapply(args$coins, past_hour, simplify = FALSE)
    images <- file.path(folder, paste0(tolower(args$coins), ".png"))
    Map(write_chart, args$coins, hours, images)
    text <- paste(mapply(hour_text, args$coins, hours), collapse = "\n")
    announce(text, images, dry_run = args$dry_run)
  }
)
