# The line protocol by which the Kinesis Client Library's MultiLangDaemon drives a record
# processor: one JSON message a line, actions on standard input, answers on standard output.
# Source: github.com/awslabs/amazon-kinesis-client, package software.amazon.kinesis.multilang.

# Checkpoint errors that go away by themselves; the others are reported to the caller at once.
passing_errors <- c("ThrottlingException", "KinesisClientLibDependencyException")
checkpoint_attempts <- 5

#' Serve the daemon until it closes `input`.
#'
#' `processor` is a list of functions, each called with the message and a function
#' `checkpoint(sequence_number, sub_sequence_number)` that returns NULL or the error's name:
#' initialize, process_records, lease_lost, shard_ended, shutdown_requested.
multilang_serve <- function(processor, input, output, pause = 0.5) {
  checkpoint <- function(sequence_number = NULL, sub_sequence_number = NULL) {
    multilang_checkpoint(input, output, sequence_number, sub_sequence_number, pause)
  }
  while (!is.null(message <- multilang_read(input))) {
    multilang_perform(processor, message, checkpoint)
    multilang_write(output, list(action = "status", responseFor = message$action))
  }
}

multilang_perform <- function(processor, message, checkpoint) {
  perform <- switch(as.character(message$action),
    initialize = processor$initialize,
    processRecords = processor$process_records,
    leaseLost = processor$lease_lost,
    shardEnded = processor$shard_ended,
    shutdownRequested = processor$shutdown_requested,
    # What version 1 of the client library sends instead of the three above.
    shutdown = switch(as.character(message$reason),
      TERMINATE = processor$shard_ended,
      REQUESTED = processor$shutdown_requested,
      processor$lease_lost
    ),
    stop("the daemon sent an action this program does not know: ", message$action, call. = FALSE)
  )
  perform(message, checkpoint)
}

#' Ask the daemon to checkpoint; without a number, at the end of what it delivered.
#'
#' At the end of a shard that means SHARD_END. Returns NULL, or the name of the error.
multilang_checkpoint <- function(input, output, sequence_number, sub_sequence_number, pause) {
  for (attempt in seq_len(checkpoint_attempts)) {
    multilang_write(output, list(action = "checkpoint", sequenceNumber = sequence_number,
                                 subSequenceNumber = sub_sequence_number))
    reply <- multilang_read(input)
    if (is.null(reply)) stop("the daemon went away during a checkpoint", call. = FALSE)
    if (!identical(reply$action, "checkpoint")) return("InvalidStateException")
    if (is.null(reply$error) || !reply$error %in% passing_errors) return(reply$error)
    if (attempt < checkpoint_attempts) Sys.sleep(pause * 2^(attempt - 1))
  }
  reply$error
}

# The next message as a list; NULL at the end of input.
multilang_read <- function(input) {
  repeat {
    line <- readLines(input, 1, warn = FALSE)
    if (length(line) == 0) return(NULL)
    if (nzchar(trimws(line, whitespace = "[ \t]"))) break
  }
  Encoding(line) <- "UTF-8"
  message <- tryCatch(jsonlite::parse_json(line, bigint_as_char = TRUE), error = function(e) NULL)
  if (!is.list(message) || !is.character(message$action)) {
    stop("the daemon sent no message: ", substr(line, 1, 60), call. = FALSE)
  }
  message
}

multilang_write <- function(output, message) {
  line <- jsonlite::toJSON(message, auto_unbox = TRUE, null = "null", digits = NA)
  cat(line, "\n", sep = "", file = output)
  flush(output)
}
