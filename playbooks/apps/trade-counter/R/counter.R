# The record processor: what to do at each of the daemon's actions.

#' A processor for `multilang_serve` that adds each batch to the ledger.
trade_counter <- function(ledger, totals_every = 10) {
  shard <- NULL
  done <- NULL # the last record that is in the ledger
  totals_at <- Sys.time()

  list(
    initialize = function(message, checkpoint) {
      if (!is.character(message$shardId)) stop("the daemon named no shard", call. = FALSE)
      shard <<- message$shardId
      logger::log_info("%s: starting from %s", shard, c(message$sequenceNumber, "the beginning")[1])
      log_loss(ledger, shard, message)
    },
    process_records = function(message, checkpoint) {
      if (is.null(shard)) stop("the daemon sent records before it named a shard", call. = FALSE)
      if (length(message$records) == 0) return()
      records <- parse_records(message$records)
      added <- ledger_add(ledger, shard, records)
      log_batch(shard, records, added)
      done <<- records[which.max(rank(records$position)), ]
      # Not reaching the daemon's table is no reason to stop: the ledger knows where it is.
      log_refusal(shard, checkpoint(done$sequence, done$sub_sequence))
      if (difftime(Sys.time(), totals_at, units = "secs") >= totals_every) {
        totals_at <<- Sys.time()
        log_totals(ledger_totals(ledger))
      }
    },
    lease_lost = function(message, checkpoint) {
      logger::log_info("%s: another worker has it now", shard)
    },
    shard_ended = function(message, checkpoint) {
      # The shard's children are not read before this checkpoint.
      refusal <- checkpoint()
      if (!is.null(refusal)) stop(shard, ": no checkpoint at its end: ", refusal, call. = FALSE)
      logger::log_info("%s: read to its end", shard)
    },
    shutdown_requested = function(message, checkpoint) {
      if (!is.null(done)) log_refusal(shard, checkpoint(done$sequence, done$sub_sequence))
      logger::log_info("%s: stopping as asked", shard)
    }
  )
}

log_batch <- function(shard, records, added) {
  logger::log_debug("%s: %d records, %d counted", shard, nrow(records), sum(added$count))
  if (added$malformed > 0) {
    first <- records$sequence[records$kind == "malformed"][1]
    logger::log_warn("%s: %d records are no trades, the first is %s", shard, added$malformed, first)
  }
  if (added$covered + added$repeated > 0) {
    logger::log_info("%s: left out %d records up to the stored checkpoint, %d trades seen before",
                     shard, added$covered, added$repeated)
  }
  for (symbol in added$joined) {
    logger::log_warn("%s has too many gaps: trades in the oldest are no longer counted", symbol)
  }
}

# What the daemon will not deliver again, and Redis has no more.
log_loss <- function(ledger, shard, message) {
  # The other words say where to begin, and not how far anybody was.
  begins_at_number <- is.character(message$sequenceNumber) &&
    grepl("^[0-9]+$", message$sequenceNumber)
  if (!begins_at_number) return()
  stored <- ledger_checkpoint(ledger, shard)
  if (checkpoint_position(stored) < position(message$sequenceNumber)) {
    logger::log_warn(paste(
      "%s: Redis has lost what it had counted: it is at %s, and the stream goes on after %s;",
      "what lies between is in no total. Does it answer before it has written (appendfsync)?"
    ), shard, c(stored, "the beginning")[1], message$sequenceNumber)
  }
}

log_refusal <- function(shard, refusal) {
  if (!is.null(refusal)) logger::log_warn("%s: checkpoint refused: %s", shard, refusal)
}

log_totals <- function(totals) {
  total <- format(sum(as.numeric(totals)), big.mark = ",", scientific = FALSE)
  by_symbol <- paste(sort(names(totals)), totals[sort(names(totals))], collapse = ", ")
  logger::log_info("%s transactions: %s", total, by_symbol)
}
