library(plumber)

pr() |>
  pr_get("/health", function() "well") |>
  pr_run(host = "0.0.0.0", port = 80)
