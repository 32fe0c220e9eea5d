# Plays the MultiLangDaemon for one shard, and kills the program (kill -9) over and over.

#' Deliver `records` (JSON texts) until the shard is read to its end.
#'
#' Each life of the program begins at the last checkpoint the daemon got, or a few hundred
#' records before it. The first `kills` lives end at a random moment. Returns, for every kill,
#' whether Redis was ahead of the daemon's checkpoint then.
play_daemon <- function(app, shard, records, url, kills, seed) {
  set.seed(seed)
  daemon <- new.env()
  daemon$records <- records
  daemon$sequences <- vapply(records, function(text) jsonlite::parse_json(text)$sequenceNumber, "")
  daemon$at <- 0 # records that the daemon's own checkpoint covers; Inf at the shard's end
  ahead <- logical()
  for (life in seq_len(kills + 1)) {
    daemon$program <- start_program(app, url)
    daemon$kill_at <- Inf
    say(daemon, sprintf('{"action":"initialize","shardId":"%s","subSequenceNumber":0}', shard))
    deliver(daemon, healthy_batches = if (life <= kills) sample(0:2, 1) else Inf)
    if (life > kills) say(daemon, '{"action":"shardEnded"}')
    daemon$program$kill()
    if (life <= kills) ahead <- c(ahead, redis_is_ahead(daemon, url, shard))
  }
  if (daemon$at < Inf) stop("no checkpoint at the end of the shard")
  ahead
}

# Deliver batches to the end of the records, or until killed after some healthy ones.
deliver <- function(daemon, healthy_batches) {
  from <- max(0, daemon$at - sample(0:300, 1))
  alive <- TRUE
  while (alive && from < length(daemon$records)) {
    if (healthy_batches == 0) daemon$kill_at <- Sys.time() + runif(1, 0, 0.2)
    healthy_batches <- healthy_batches - 1
    to <- min(length(daemon$records), from + sample(150, 1))
    alive <- say(daemon, sprintf('{"records":[%s],"action":"processRecords"}',
                                 paste(daemon$records[(from + 1):to], collapse = ",")))
    from <- to
  }
}

# Sends a message, serves checkpoints until the status; FALSE when the program is to die.
say <- function(daemon, message) {
  send(daemon$program, message)
  repeat {
    line <- receive(daemon$program, daemon$kill_at)
    if (is.null(line)) return(FALSE)
    answer <- jsonlite::parse_json(line)
    if (answer$action == "status") return(TRUE)
    # Else hardly a kill would fall between Redis's checkpoint and the daemon's.
    if (daemon$kill_at < Inf && runif(1) < 0.5) return(FALSE)
    send(daemon$program, take_checkpoint(daemon, answer$sequenceNumber))
  }
}

take_checkpoint <- function(daemon, sequence) {
  if (runif(1) < 0.1) return('{"action":"checkpoint","error":"ThrottlingException"}')
  reached <- if (is.null(sequence)) Inf else match(sequence, daemon$sequences)
  if (is.na(reached)) stop("checkpoint at a number never delivered: ", sequence)
  daemon$at <- max(daemon$at, reached)
  '{"error":null,"action":"checkpoint"}'
}

start_program <- function(app, url) {
  processx::process$new(app, stdin = "|", stdout = "|", stderr = tempfile(), env = c(
    "current", REDIS_URL = url, LOG_LEVEL = "ERROR"
  ))
}

send <- function(program, line) {
  rest <- charToRaw(paste0(line, "\n"))
  while (length(rest) > 0 && program$is_alive()) {
    rest <- program$write_input(rest)
    if (length(rest) > 0) Sys.sleep(0.001)
  }
}

# The next line of the program; NULL after killing it when `kill_at` comes first.
receive <- function(program, kill_at) {
  repeat {
    line <- program$read_output_lines(1)
    if (length(line) == 1 && nzchar(line)) return(line)
    if (Sys.time() >= kill_at) {
      program$kill()
      return(NULL)
    }
    if (!program$is_alive()) {
      stop("the program ended by itself: ", readLines(program$get_error_file()))
    }
    program$poll_io(1)
  }
}

redis_is_ahead <- function(daemon, url, shard) {
  for (attempt in 1:100) {
    # Redis is killed too, at any moment.
    answer <- tryCatch({
      con <- redis_connect(url)
      list(redis_command(con, "GET", paste0("trades:checkpoint:", shard)))
    }, redis_lost = function(e) NULL)
    if (!is.null(answer)) break
    Sys.sleep(0.1)
  }
  if (is.null(answer)) stop("Redis did not come back")
  redis_close(con)
  known <- if (daemon$at > 0) position(daemon$sequences[daemon$at]) else ""
  checkpoint_position(answer[[1]]) > known
}
