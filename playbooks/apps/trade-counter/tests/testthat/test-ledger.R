logger::log_threshold("FATAL")

trades <- function(ids, from = 1, symbol = "BTCUSDT") {
  data.frame(sequence = as.character(from + seq_along(ids)), sub_sequence = 0,
             position = position(as.character(from + seq_along(ids))), kind = "trade",
             symbol = symbol, id = ids, units = 0, fraction = 1)
}

test_that("a batch is added once, with its malformed records and checkpoint", {
  url <- start_redis()$url
  ledger <- ledger_open(url, prefix = "test")
  records <- trades(c(1:3, 5))
  records$kind[2] <- "malformed"
  for (delivery in 1:3) ledger_add(ledger, "shard-1", records)
  ledger_add(ledger, "shard-2", trades(c(3, 4), from = 100))

  con <- client(url)
  expect_identical(ledger_totals(ledger), c(BTCUSDT = "4"))
  expect_identical(redis_hash(con, "test:amount_e8"), c(BTCUSDT = "4"))
  expect_identical(redis_command(con, "GET", "test:seen:BTCUSDT"), "1-1,3-5")
  expect_identical(redis_command(con, "GET", "test:malformed"), "1")
  expect_identical(redis_command(con, "GET", "test:checkpoint:shard-1"), "5 0")
  expect_identical(redis_command(con, "GET", "test:checkpoint:shard-2"), "102 0")
})

test_that("a batch starts over when another shard changed what it read", {
  url <- start_redis()$url
  ledger <- ledger_open(url)
  other <- client(url)
  real <- count_batch
  meddled <- 0
  meddle <- function(records, checkpoint, seen, most_ranges) {
    meddled <<- meddled + 1
    if (meddled == 1) redis_command(other, "SET", "trades:seen:BTCUSDT", "1-2")
    real(records, checkpoint, seen, most_ranges)
  }
  assign("count_batch", meddle, environment(try_to_add))
  withr::defer(assign("count_batch", real, environment(try_to_add)))
  ledger_add(ledger, "shard-1", trades(1:5))
  expect_identical(meddled, 2)
  expect_identical(ledger_totals(ledger), c(BTCUSDT = "3"))
})

test_that("Redis may be away for a while, but not for ever", {
  server <- start_redis()
  ledger <- ledger_open(server$url, patience = 10)
  ledger_add(ledger, "shard-1", trades(1))
  server$process$kill()
  restart <- callr::r_bg(function(port) {
    Sys.sleep(1)
    system2("redis-server", c("--port", port, "--save", "''"), stdout = FALSE, timeout = 20)
  }, list(server$port))
  ledger_add(ledger, "shard-1", trades(2, from = 10))
  expect_identical(ledger_totals(ledger), c(BTCUSDT = "1"))
  expect_error(redis_command(client(server$url), "SHUTDOWN", "NOSAVE"), class = "redis_lost")
  restart$kill_tree()

  ledger$patience <- 1
  expect_error(ledger_add(ledger, "shard-1", trades(3)), "gave up after 1 seconds")
})

test_that("everything of a batch is there once its transaction is, and nothing before", {
  url <- start_redis()$url
  con <- client(url)
  ledger <- ledger_open(url)
  records <- trades(1:4)
  records$kind[1:2] <- c("malformed", "test")
  records$id[1:2] <- NA
  real <- redis_transaction
  withr::defer(assign("redis_transaction", real, environment(try_to_add)))

  assign("redis_transaction", function(...) stop("died before"), environment(try_to_add))
  expect_error(ledger_add(ledger, "shard-1", records), "died before")
  expect_identical(redis_command(con, "KEYS", "*"), list())
  assign("redis_transaction", function(...) {
    real(...)
    stop("died after")
  }, environment(try_to_add))
  expect_error(ledger_add(ledger, "shard-1", records), "died after")
  assign("redis_transaction", real, environment(try_to_add))

  ledger_add(ledger, "shard-1", records)
  expect_identical(ledger_totals(ledger), c(BTCUSDT = "3"))
  expect_identical(redis_command(con, "GET", "trades:malformed"), "1")
  expect_identical(redis_command(con, "GET", "trades:checkpoint:shard-1"), "5 0")
})
