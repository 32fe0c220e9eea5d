library(plumber)
source("functions.R")

pr() |>
  pr_get("/health", function() "well") |>
  pr_get("/price", function() price("BTC")) |>
  pr_run(host = "0.0.0.0", port = 9000)
