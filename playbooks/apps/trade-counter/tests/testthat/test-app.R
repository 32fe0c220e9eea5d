# The whole program: its own process, its own Redis.
run_app <- function(lines, env) {
  processx::run(file.path(app_folder, "app.R"), error_on_status = FALSE, timeout = 60,
                stdin = write_lines(lines), env = c("current", env))
}

write_lines <- function(lines) {
  file <- tempfile()
  writeLines(lines, file)
  file
}

initialize <- '{"action":"initialize","shardId":"shardId-0","sequenceNumber":"LATEST"}'

process <- function(ids, numbers = ids) {
  records <- sprintf('{"data":"%s","sequenceNumber":"%d"}', vapply(ids, function(id) {
    openssl::base64_encode(charToRaw(sprintf('{"e":"trade","s":"BTCUSDT","t":%d,"q":"0.1"}', id)))
  }, ""), numbers)
  sprintf('{"action":"processRecords","records":[%s]}', paste(records, collapse = ","))
}

test_that("a shard is counted from start to end, and only the protocol is on stdout", {
  url <- start_redis()$url
  ok <- '{"action":"checkpoint","error":null}'
  ran <- run_app(c(initialize, process(1:3), ok, process(integer()), '{"action":"shardEnded"}', ok),
                 c(REDIS_URL = url, LOG_LEVEL = "DEBUG"))
  expect_identical(strsplit(ran$stdout, "\n")[[1]], c(
    '{"action":"status","responseFor":"initialize"}',
    '{"action":"checkpoint","sequenceNumber":"3","subSequenceNumber":0}',
    '{"action":"status","responseFor":"processRecords"}',
    '{"action":"status","responseFor":"processRecords"}',
    '{"action":"checkpoint","sequenceNumber":null,"subSequenceNumber":null}',
    '{"action":"status","responseFor":"shardEnded"}'
  ))
  expect_match(ran$stderr, "3 records, 3 counted")
  expect_identical(ran$status, 0L)
  expect_identical(redis_hash(client(url), "trades:amount_e8"), c(BTCUSDT = "30000000"))
})

test_that("what Redis has lost since the daemon's checkpoint is told", {
  url <- start_redis()$url
  begins_at <- function(number) {
    first <- '{"action":"initialize","shardId":"shardId-0","sequenceNumber":"%s"}'
    run_app(c(sprintf(first, number), process(8:9), '{"action":"checkpoint"}'),
            c(REDIS_URL = url))$stderr
  }
  expect_no_match(begins_at("TRIM_HORIZON"), "has lost")
  expect_no_match(begins_at("9"), "has lost")
  expect_no_match(begins_at("7"), "has lost")
  expect_match(begins_at("10"), "it is at 9 0, and the stream goes on after 10")
  redis_command(client(url), "FLUSHALL")
  expect_match(begins_at("9"), "it is at the beginning, and the stream goes on after 9")
})

test_that("a shutdown checkpoints what was counted; a lost lease checkpoints nothing", {
  url <- start_redis()$url
  ok <- '{"action":"checkpoint"}'
  ran <- run_app(c(initialize, process(1:2), ok, '{"action":"shutdownRequested"}', ok,
                   '{"action":"leaseLost"}'), c(REDIS_URL = url))
  at <- grep("checkpoint", strsplit(ran$stdout, "\n")[[1]], value = TRUE)
  expect_identical(at, rep('{"action":"checkpoint","sequenceNumber":"2","subSequenceNumber":0}', 2))
  expect_identical(ran$status, 0L)
})

test_that("a shard end that cannot be checkpointed is a failure", {
  refused <- '{"action":"checkpoint","error":"ShutdownException"}'
  ran <- run_app(c(initialize, '{"action":"shardEnded"}', refused), character())
  expect_identical(ran$status, 1L)
  expect_match(ran$stderr, "no checkpoint at its end: ShutdownException")
})

test_that("a daemon that names no shard is not served", {
  for (first in c('{"action":"initialize"}', process(1))) {
    ran <- run_app(first, character())
    expect_identical(ran$status, 1L)
    expect_match(ran$stderr, "named (no|a) shard")
  }
  begins <- run_app('{"action":"initialize","shardId":"s","sequenceNumber":null}', character())
  expect_match(begins$stderr, "s: starting from the beginning")
})

test_that("without Redis it ends with a plain message, the password untold", {
  ran <- run_app(c(initialize, process(1)), c(
    REDIS_URL = sprintf("redis://:hunter2@127.0.0.1:%d", free_port()), REDIS_PATIENCE = "1"
  ))
  expect_identical(ran$status, 1L)
  expect_match(ran$stderr, "cannot connect; gave up after 1 seconds (REDIS_PATIENCE)", fixed = TRUE)
  expect_no_match(ran$stderr, "hunter2|Traceback|Execution halted")
  bad <- run_app(initialize, c(REDIS_PATIENCE = "soon"))
  expect_match(bad$stderr, "REDIS_PATIENCE must be a positive number")
})

test_that("10,000 records in one batch take well under two seconds", {
  url <- start_redis()$url
  records <- lapply(1:10000, function(id) {
    text <- sprintf('{"e":"trade","s":"S%d","t":%d,"p":"1.0","q":"0.1","m":true}', id %% 14, id)
    list(data = openssl::base64_encode(charToRaw(text)), sequenceNumber = as.character(id))
  })
  took <- system.time(ledger_add(ledger_open(url), "shard", parse_records(records)))
  expect_lt(took[["user.self"]], 2)
  expect_identical(sum(as.numeric(redis_hash(client(url), "trades:count"))), 10000)
})
