options <- list(
  below = list(value = "USD", example = "20000", read = read_number, about = "Below this"),
  coin = list(
    value = "COIN", example = "BTC", read = read_coin, default = "BTC", about = "The coin"
  ),
  slack = list(about = "Post it"),
  "dry-run" = dry_run_option
)
arguments <- function(...) job_arguments(c(...), options)

test_that("options are read in both forms, and others have their defaults", {
  expect_identical(
    arguments("--below", "20000.5", "--slack"),
    list(below = 20000.5, coin = "BTC", slack = TRUE, dry_run = FALSE)
  )
  expect_identical(
    arguments("--coin=eth", "--dry-run"),
    list(below = NULL, coin = "ETH", slack = FALSE, dry_run = TRUE)
  )
})

test_that("a wrong call is told in words", {
  refused <- function(message, ...) {
    expect_error(arguments(...), message, fixed = TRUE, class = "job_usage")
  }
  refused("there is no option `--bellow`", "--bellow", "1")
  refused("there is no option `stuff`", "stuff")
  refused("there is no option `--`", "--")
  refused("--below needs a value, such as `--below 20000`", "--below")
  refused("--below needs a value", "--below", "--slack")
  refused("--below is given twice", "--below", "1", "--below=2")
  refused("--below takes a number above 0, not `low`", "--below", "low")
  refused("--below takes a number above 0, not `-1`", "--below", "-1")
  refused("--below takes a number above 0, not `Inf`", "--below", "Inf")
  refused("--below takes a number above 0, not ``", "--below=")
  refused("--slack takes no value", "--slack=yes")
  refused("--coin takes one coin such as `BTC`, not `BTC,ETH`", "--coin", "BTC,ETH")
})

test_that("coins are a list without doubles", {
  expect_identical(read_coins(" btc , ETH,BTC", "coins"), c("BTC", "ETH"))
  for (wrong in c("", ",", "BTC ETH", "BTC;DROP")) {
    expect_error(read_coins(wrong, "coins"), class = "job_usage")
  }
})

test_that("the help names each option and its default", {
  help <- job_help("x.R", "Does it.", options)
  for (part in c("Usage: x.R", "Does it.", "--below USD ", "[BTC]", "--dry-run", "--help")) {
    expect_match(help, part, fixed = TRUE)
  }
})
