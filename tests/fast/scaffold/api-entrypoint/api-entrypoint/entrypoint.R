library(plumber)
pr("routes.R") |>
  pr_get("/health", function() "ok") |>
  pr_set_debug(FALSE)
