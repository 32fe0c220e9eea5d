#!/usr/bin/env Rscript
# Draws the past hour of a coin into the current folder, such as a Jenkins workspace.

file <- sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1])
app <- dirname(normalizePath(gsub("~+~", " ", file, fixed = TRUE)))
for (part in c("chart", "exchange", "job", "prices", "report")) {
  source(file.path(app, "R", paste0(part, ".R")))
}

run_job(
  "candlestick.R",
  about = "Draws the candlestick chart of a coin's past hour as COIN.png in the current folder.",
  options = list(
    coin = list(
      value = "COIN", example = "BTC", read = read_coin, default = "BTC",
      about = "The coin"
    )
  ),
  main = function(args) {
    klines <- past_hour(args$coin)
    path <- file.path(getwd(), paste0(tolower(args$coin), ".png"))
    what <- paste(nrow(klines), "candlesticks of", args$coin, "into", path)
    if (args$dry_run) {
      cat("would draw", what, "\n")
    } else {
      write_chart(args$coin, klines, path)
      logger::log_info("drew", what)
    }
  }
)
