# Whole scripts, against a real Redis, and the simulated exchange with its Slack.

# Variables of a script; each test has a Slack channel of its own.
world <- function(exchange, redis = "redis://127.0.0.1:1", ...) {
  channel <- paste0("#", paste(sample(letters, 12), collapse = ""))
  list(channel = channel, env = c(
    EXCHANGE_URL = exchange, REDIS_URL = redis, SLACK_URL = paste0(exchange, "/slack/api"),
    SLACK_TOKEN = "xoxb-open-sesame", SLACK_CHANNEL = channel, ...
  ))
}

ran_well <- function(run) expect_identical(run$status, 0L, info = run$stderr)

test_that("every script has help", {
  scripts <- list.files(app_folder, "\\.R$")
  runs <- lapply(lapply(scripts, start_script, "--help"), ended)
  for (i in seq_along(scripts)) {
    ran_well(runs[[i]])
    expect_match(runs[[i]]$stdout, paste("Usage:", scripts[i]), fixed = TRUE)
  }
})

test_that("a wrong call ends with 2 and one plain line", {
  run <- run_script("alert-price.R", "--wrong")
  expect_identical(run$status, 2L)
  expect_identical(run$stderr, "alert-price.R: there is no option `--wrong` (see --help)\n")
  run <- run_script("alert-price.R")
  expect_identical(run$status, 2L)
  expect_match(run$stderr, "give at least one of --below, --above, --hour and --day", fixed = TRUE)
})

test_that("prices are cached, and not by a dry run", {
  exchange <- need_exchange()
  redis <- start_redis()
  env <- world(exchange, redis)$env
  con <- redis_connect(redis)
  withr::defer(redis_close(con))

  run <- run_script("cache-prices.R", "--dry-run", env = env)
  ran_well(run)
  expect_match(run$stdout, "^would cache: BTC \\$[0-9,.]+, ETH \\$[0-9,.]+")
  expect_identical(redis_command(con, "KEYS", "*"), list())

  ran_well(run_script("cache-prices.R", "--coins", "BTC,LTC,USDT", env = env))
  expect_setequal(
    unlist(redis_command(con, "KEYS", "*")),
    c("price:BTC", "price:LTC", "price:USDT", "price:updated")
  )
  withr::local_envvar(EXCHANGE_URL = exchange)
  # The market moves on, but not by a tenth in seconds.
  expect_equal(cached_price(con, "BTC"), exchange_coins("BTC")[["BTC"]], tolerance = 0.1)
  expect_identical(cached_price(con, "USDT"), 1)

  run <- run_script("cache-prices.R", "--coins", "BTC,NOCOIN", env = env)
  expect_identical(run$status, 1L)
  expect_match(run$stderr, "the exchange has no price in USDT of NOCOIN", fixed = TRUE)
})

test_that("an alert is posted once for each crossing of the cached price", {
  exchange <- need_exchange()
  redis <- start_redis()
  world <- world(exchange, redis)
  con <- redis_connect(redis)
  withr::defer(redis_close(con))
  alert <- function(price, ...) {
    cache_prices(con, c(BTC = price))
    run_script("alert-price.R", "--below", "20000", "--above", "22000", ..., env = world$env)
  }

  run <- alert(19000, "--dry-run")
  expect_identical(run$stdout, "would post:\nBTC is at $19,000.00, below $20,000.00\n")
  ran_well(alert(19000))
  ran_well(alert(18500))
  ran_well(alert(22000.5))
  ran_well(alert(19500))
  expect_identical(posted(exchange, world$channel)$texts, c(
    "BTC is at $19,000.00, below $20,000.00",
    "BTC is at $22,000.50, above $22,000.00",
    "BTC is at $19,500.00, below $20,000.00"
  ))
})

test_that("an alert that could not be posted is tried again", {
  exchange <- need_exchange()
  redis <- start_redis()
  world <- world(exchange, redis)
  con <- redis_connect(redis)
  withr::defer(redis_close(con))
  cache_prices(con, c(BTC = 19000))

  run <- run_script("alert-price.R", "--below", "20000",
    env = replace(world$env, "SLACK_TOKEN", "bad")
  )
  expect_identical(run$status, 1L)
  expect_match(run$stderr, "invalid_auth (the token is not valid", fixed = TRUE)
  ran_well(run_script("alert-price.R", "--below", "20000", env = world$env))
  expect_length(posted(exchange, world$channel)$texts, 1)
})

test_that("without a fresh price in Redis the exchange is asked", {
  exchange <- need_exchange()
  redis <- start_redis()
  world <- world(exchange, redis)
  con <- redis_connect(redis)
  withr::defer(redis_close(con))
  # By this price, all limits are exceeded; but it is too old to be believed.
  cache_prices(con, c(BTC = 1), Sys.time() - 600)
  run <- run_script("alert-price.R",
    "--below", "2", "--hour", "1e9", "--day", "1000",
    env = world$env
  )
  ran_well(run)
  expect_match(run$stderr, "no fresh price of BTC in Redis")
  expect_identical(posted(exchange, world$channel)$texts, character())
})

test_that("changes in an hour and a day are measured from the exchange's past", {
  exchange <- need_exchange()
  redis <- start_redis()
  world <- world(exchange, redis)
  withr::local_envvar(EXCHANGE_URL = exchange)
  con <- redis_connect(redis)
  withr::defer(redis_close(con))
  # Twice what it was a day ago is far from what it was an hour ago, too.
  now <- 2 * price_ago("BTC", "day")
  cache_prices(con, c(BTC = now))
  ran_well(run_script("alert-price.R", "--hour", "200", "--day", "99", env = world$env))
  text <- posted(exchange, world$channel)$texts
  rise <- format_usd(now - price_ago("BTC", "hour"))
  expect_match(text, paste("BTC rose", rise, "in the past hour, to", format_usd(now)), fixed = TRUE)
  expect_match(text, "BTC rose 100.0% in the past day", fixed = TRUE)
})

test_that("the report has numbers and a chart of each coin", {
  exchange <- need_exchange()
  world <- world(exchange)
  ran_well(run_script("hourly-report.R", env = world$env))
  seen <- posted(exchange, world$channel)
  expect_match(
    seen$texts,
    "^BTC in the past hour: min \\$[0-9,.]+, max \\$[0-9,.]+, now .*\nETH in the past hour: min "
  )
  expect_identical(vapply(seen$files, function(file) file$name, ""), c("btc.png", "eth.png"))
  expect_true(all(vapply(seen$files, function(file) file$bytes > 10000, TRUE)))
})

test_that("a webhook gets the numbers, and word of the missing chart", {
  exchange <- need_exchange()
  env <- c(
    EXCHANGE_URL = exchange, SLACK_WEBHOOK_URL = paste0(exchange, "/slack/webhook/T1/B1/x")
  )
  marker <- "LTC in the past hour"
  before <- length(posted(exchange, words = marker)$texts)
  ran_well(run_script("hourly-report.R", "--coins", "LTC", env = env))
  seen <- posted(exchange, words = marker)
  expect_length(seen$texts, before + 1)
  expect_match(tail(seen$texts, 1), "a webhook cannot carry images")
  expect_identical(seen$via, "webhook")
})

test_that("the chart is drawn into the current folder", {
  exchange <- need_exchange()
  folder <- withr::local_tempdir()
  env <- world(exchange)$env
  run <- run_script("candlestick.R", "--dry-run", env = env, folder = folder)
  expect_match(run$stdout, "would draw 60 candlesticks of BTC into .*/btc.png")
  expect_length(list.files(folder), 0)
  ran_well(run_script("candlestick.R", env = env, folder = folder))
  expect_identical(list.files(folder, all.files = TRUE, no.. = TRUE), "btc.png")
  bytes <- readBin(file.path(folder, "btc.png"), "raw", 24)
  expect_identical(rawToChar(bytes[2:4]), "PNG")
  # Width and height stand at bytes 17 to 24.
  size <- readBin(bytes[17:24], "integer", 2, endian = "big")
  expect_identical(size, c(1200L, 600L))
})

test_that("what was counted is worth its amounts at the exchange's prices", {
  exchange <- need_exchange()
  redis <- start_redis()
  world <- world(exchange, redis)
  con <- redis_connect(redis)
  withr::defer(redis_close(con))

  run <- run_script("stream-value.R", "--slack", env = world$env)
  expect_identical(run$stdout, "no transactions are counted yet\n")
  expect_identical(posted(exchange, world$channel)$texts, character())

  redis_command(con, "HSET", "trades:count", "BTCUSDT", "1500", "ETHBTC", "2")
  redis_command(con, "HSET", "trades:amount_e8", "BTCUSDT", "10000000000", "ETHBTC", "1")
  run <- run_script("stream-value.R", "--slack", env = world$env)
  ran_well(run)
  withr::local_envvar(EXCHANGE_URL = exchange)
  first <- strsplit(run$stdout, "\n")[[1]][1]
  expect_match(first, "^1,502 transactions are worth \\$")
  worth <- as.numeric(gsub("[$,]", "", sub("^.* ", "", first)))
  expect_equal(worth, 100 * exchange_coins("BTC")[["BTC"]], tolerance = 0.1)
  expect_identical(paste0(posted(exchange, world$channel)$texts, "\n"), run$stdout)
})

test_that("what cannot be done ends with 1 and one plain line", {
  exchange <- need_exchange()
  env <- world(exchange, start_redis())$env
  with <- function(name, value) replace(env, name, value)
  nowhere <- with("REDIS_URL", "redis://127.0.0.1:1")
  expected <- c(
    "alert-price.R: Redis at 127.0.0.1:1: cannot connect",
    "candlestick.R: the exchange does not answer: Failed to connect",
    "hourly-report.R: the exchange refused: Invalid symbol.",
    "channel_not_found (no channel `#nowhere`",
    "Slack is not set up"
  )
  started <- list(
    start_script("alert-price.R", "--below", "1", env = nowhere),
    start_script("candlestick.R", env = with("EXCHANGE_URL", "http://127.0.0.1:1")),
    start_script("hourly-report.R", "--coins", "NOCOIN", env = env),
    start_script("alert-price.R", "--below", "1e9", env = with("SLACK_CHANNEL", "#nowhere")),
    start_script("alert-price.R", "--below", "1e9", env = with("SLACK_TOKEN", ""))
  )
  runs <- lapply(started, ended)
  for (i in seq_along(runs)) {
    expect_identical(runs[[i]]$status, 1L)
    lines <- grep("^INFO ", strsplit(runs[[i]]$stderr, "\n")[[1]], invert = TRUE, value = TRUE)
    expect_length(lines, 1)
    expect_match(lines, expected[i], fixed = TRUE)
  }
})
