logger::log_threshold("FATAL")

# Serve these lines; returns the lines answered. The processor's calls land in `calls`.
serve <- function(lines, processor) {
  input <- textConnection(lines)
  answers <- tempfile()
  output <- file(answers, "w")
  on.exit({
    close(input)
    close(output)
  })
  multilang_serve(processor, input, output, pause = 0)
  flush(output)
  readLines(answers)
}

recording_processor <- function() {
  calls <- character()
  note <- function(name) function(message, checkpoint) calls <<- c(calls, name)
  list(
    initialize = note("initialize"), process_records = note("process_records"),
    lease_lost = note("lease_lost"), shard_ended = note("shard_ended"),
    shutdown_requested = note("shutdown_requested"), calls = function() calls
  )
}

test_that("every action is performed and answered by its own name", {
  processor <- recording_processor()
  answers <- serve(c(
    '{"unknown":[1,{}],"subSequenceNumber":0,"shardId":"s","action":"initialize"}', "",
    '{"records":[],"action":"processRecords"}', '{"action":"leaseLost"}',
    '{"action":"shardEnded"}', '{"action":"shutdownRequested"}',
    '{"reason":"TERMINATE","action":"shutdown"}', '{"action":"shutdown","reason":"ZOMBIE"}',
    '{"action":"shutdown","reason":"REQUESTED"}'
  ), processor)
  expect_identical(processor$calls(), c(
    "initialize", "process_records", "lease_lost", "shard_ended", "shutdown_requested",
    "shard_ended", "lease_lost", "shutdown_requested"
  ))
  expect_identical(answers, sprintf('{"action":"status","responseFor":"%s"}', c(
    "initialize", "processRecords", "leaseLost", "shardEnded", "shutdownRequested",
    "shutdown", "shutdown", "shutdown"
  )))
})

test_that("what is no message, or an unknown action, stops the program", {
  expect_error(serve("not json", recording_processor()), "no message: not json")
  expect_error(serve('{"reason":"x"}', recording_processor()), "no message")
  expect_error(serve('{"action":"dance"}', recording_processor()), "does not know: dance")
})

# Checkpoint once during `leaseLost`, with these replies from the daemon.
checkpoint_with <- function(replies, ...) {
  result <- "not called"
  processor <- recording_processor()
  processor$lease_lost <- function(message, checkpoint) result <<- checkpoint(...)
  answers <- serve(c('{"action":"leaseLost"}', replies), processor)
  list(result = result, answers = answers)
}

test_that("a checkpoint names its number, or none for the end of what was delivered", {
  ok <- '{"error":null,"action":"checkpoint","sequenceNumber":"12"}'
  at <- checkpoint_with(ok, "12", 3)
  expect_null(at$result)
  expect_identical(at$answers, c(
    '{"action":"checkpoint","sequenceNumber":"12","subSequenceNumber":3}',
    '{"action":"status","responseFor":"leaseLost"}'
  ))
  expect_identical(checkpoint_with(ok)$answers[1],
                   '{"action":"checkpoint","sequenceNumber":null,"subSequenceNumber":null}')
})

test_that("throttled checkpoints are tried again, a few times; others are not", {
  throttled <- '{"action":"checkpoint","error":"ThrottlingException"}'
  ok <- '{"action":"checkpoint"}'
  twice <- checkpoint_with(c(throttled, throttled, ok), "12", 0)
  expect_null(twice$result)
  expect_length(grep('"checkpoint"', twice$answers), 3)

  always <- checkpoint_with(rep(throttled, 5), "12", 0)
  expect_identical(always$result, "ThrottlingException")
  expect_length(grep('"checkpoint"', always$answers), 5)

  lost <- checkpoint_with('{"action":"checkpoint","error":"ShutdownException"}', "12", 0)
  expect_identical(lost$result, "ShutdownException")
  expect_length(grep('"checkpoint"', lost$answers), 1)

  expect_identical(checkpoint_with('{"action":"leaseLost"}', "12")$result, "InvalidStateException")
  expect_error(checkpoint_with(character(), "12"), "went away")
})
