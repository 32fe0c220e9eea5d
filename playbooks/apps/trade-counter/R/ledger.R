# The totals in Redis: each batch is added in one transaction, together with the shard's
# checkpoint and the trade ids it counted. So a batch counts once, however often it is delivered.

# A batch meets refusals only while another shard counts the same symbols at the same moment.
max_refusals <- 200

#' The ledger; connects at first use. Redis may be away for `patience` seconds at a time.
ledger_open <- function(url, prefix = "trades", patience = 60, most_ranges = 20000) {
  ledger <- new.env(parent = emptyenv())
  ledger$url <- url
  ledger$prefix <- prefix
  ledger$patience <- patience
  ledger$most_ranges <- most_ranges
  ledger
}

#' Add a batch of parsed records of a shard; returns what `count_batch` found new in it.
ledger_add <- function(ledger, shard, records) {
  for (attempt in seq_len(max_refusals)) {
    added <- with_redis(ledger, function(con) try_to_add(ledger, con, shard, records))
    if (!is.null(added)) return(added)
    # Random, so that two shards do not stay in step.
    Sys.sleep(stats::runif(1, 0, min(0.25, 0.005 * attempt)))
  }
  stop("other shards changed the same symbols ", max_refusals, " times in a row", call. = FALSE)
}

#' Transactions per symbol, as a named character vector.
ledger_totals <- function(ledger) {
  with_redis(ledger, function(con) redis_hash(con, ledger_key(ledger, "count")))
}

#' The last record of a shard that was counted, as "SEQUENCENUMBER SUBSEQUENCENUMBER"; or NULL.
ledger_checkpoint <- function(ledger, shard) {
  with_redis(ledger, function(con) {
    redis_command(con, "GET", ledger_key(ledger, "checkpoint", shard))
  })
}

# One attempt; NULL when another shard changed what was read.
try_to_add <- function(ledger, con, shard, records) {
  symbols <- unique(records$symbol[records$kind == "trade"])
  checkpoint_key <- ledger_key(ledger, "checkpoint", shard)
  seen_keys <- vapply(symbols, function(symbol) ledger_key(ledger, "seen", symbol), "")
  watched <- c(checkpoint_key, seen_keys)
  stored <- redis_pipeline(con, list(c("WATCH", watched), c("MGET", watched)))[[2]]
  added <- count_batch(records, stored[[1]], stats::setNames(stored[-1], symbols),
                       ledger$most_ranges)
  if (is.null(added$checkpoint)) {
    redis_command(con, "UNWATCH")
    return(added)
  }

  per_symbol <- function(command, key, values) {
    lapply(names(values), function(symbol) c(command, key, symbol, values[[symbol]]))
  }
  changes <- c(
    per_symbol("HINCRBY", ledger_key(ledger, "count"), added$count),
    per_symbol("HINCRBY", ledger_key(ledger, "amount_e8"), added$amount),
    lapply(names(added$seen), function(symbol) c("SET", seen_keys[[symbol]], added$seen[[symbol]])),
    if (added$malformed > 0) list(c("INCRBY", ledger_key(ledger, "malformed"), added$malformed)),
    list(c("SET", checkpoint_key, added$checkpoint))
  )
  if (is.null(redis_transaction(con, changes))) NULL else added
}

# Do something with a connection; when Redis is away, connect again and do it again from the
# start. A transaction whose answer was lost is safe to repeat: the checkpoint tells.
with_redis <- function(ledger, action) {
  away_since <- NULL
  pause <- 0.1
  repeat {
    lost <- tryCatch({
      if (is.null(ledger$con)) ledger$con <- redis_connect(ledger$url)
      return(action(ledger$con))
    }, redis_lost = identity)
    ledger$con <- NULL
    if (is.null(away_since)) {
      away_since <- Sys.time()
      logger::log_warn("%s; trying for %g seconds", conditionMessage(lost), ledger$patience)
    }
    if (difftime(Sys.time(), away_since, units = "secs") + pause > ledger$patience) {
      stop(sprintf("%s; gave up after %g seconds (REDIS_PATIENCE)", conditionMessage(lost),
                   ledger$patience), call. = FALSE)
    }
    Sys.sleep(pause)
    pause <- min(2 * pause, 5)
  }
}

ledger_key <- function(ledger, ...) paste(ledger$prefix, ..., sep = ":")
