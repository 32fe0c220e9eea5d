# KILLS=200 Rscript tests/testthat.R makes a long run of it.
kills <- as.numeric(Sys.getenv("KILLS", "8"))
seed <- as.numeric(Sys.getenv("SEED", "20261130"))

# Trades of some symbols spread over two shards at random, slightly out of order, a few in both,
# with test records and malformed ones between them; and the totals that are true of them.
make_stream <- function(size) {
  symbols <- c("BTCUSDT", "ETHBTC", "NEOBNB")
  trades <- data.frame(symbol = sample(symbols, size, replace = TRUE), e8 = sample(1e9, size))
  trades$id <- 1e6 + ave(seq_len(size), trades$symbol, FUN = seq_along)
  quantity <- sprintf("%.0f.%08.0f", trades$e8 %/% 1e8, trades$e8 %% 1e8)
  texts <- sprintf('{"q":"%s","e":"trade","s":"%s","t":%.0f}', quantity, trades$symbol, trades$id)
  shard <- sample(1:3, size, replace = TRUE, prob = c(0.45, 0.45, 0.1)) # 3: in both

  deliver <- function(number) {
    own <- which(shard %in% c(number, 3))
    own <- own[order(seq_along(own) + runif(length(own), 0, 20))]
    # Test records count by sequence number only: only this shard's truth knows them.
    extra <- list(sample(c("junk", '{"e":"depthUpdate","b":[]}'), size / 100, replace = TRUE),
                  rep('{"s":"BTCUSDT","q":"1"}', size / 50))
    data <- sample_into(texts[own], unlist(extra))
    sequence <- sprintf("4954498525690737002757088586406557770302%016.0f",
                        cumsum(as.numeric(sample(1e6, length(data)))))
    sprintf('{"sequenceNumber":"%s","data":"%s","subSequenceNumber":0,"action":"record"}',
            sequence, vapply(lapply(data, charToRaw), openssl::base64_encode, ""))
  }
  tests <- 2 * (size %/% 50)
  count <- table(trades$symbol)
  e8 <- tapply(trades$e8, trades$symbol, sum)
  list(
    shards = list(deliver(1), deliver(2)),
    count = count + tests * (names(count) == "BTCUSDT"),
    e8 = e8 + 1e8 * tests * (names(e8) == "BTCUSDT"),
    malformed = 2 * (size %/% 100)
  )
}

sample_into <- function(texts, others) {
  c(texts, others)[order(c(seq_along(texts), runif(length(others), 0, length(texts))))]
}

test_that("totals stay exact through kill -9 of the counters and of Redis", {
  set.seed(seed)
  stream <- make_stream(max(3000, 300 * kills))
  folder <- withr::local_tempdir()
  port <- free_port()
  redis_options <- c("--appendonly", "yes", "--appendfsync", "always", "--dir", folder)
  server <- start_redis(port, redis_options)
  play <- function(number) {
    callr::r_bg(function(folder, ...) {
      source(file.path(folder, "R", "redis.R"))
      source(file.path(folder, "R", "counting.R"))
      source(file.path(folder, "tests", "testthat", "helper-daemon.R"))
      environment(play_daemon) <- globalenv()
      play_daemon(file.path(folder, "app.R"), ...)
    }, list(app_folder, paste0("shardId-", number), stream$shards[[number]], server$url, kills,
            seed + number))
  }
  daemons <- lapply(1:2, play)
  withr::defer(for (daemon in daemons) daemon$kill_tree())
  redis_kills <- 0
  while (any(vapply(daemons, function(daemon) daemon$is_alive(), NA))) {
    Sys.sleep(runif(1, 1, 3))
    server$process$kill()
    redis_kills <- redis_kills + 1
    server <- start_redis(port, redis_options)
  }
  ahead <- unlist(lapply(daemons, function(daemon) daemon$get_result()))

  con <- client(server$url)
  by_name <- function(values) values[order(names(values))]
  expect_equal(as.numeric(by_name(redis_hash(con, "trades:count"))), as.numeric(stream$count))
  expect_equal(as.numeric(by_name(redis_hash(con, "trades:amount_e8"))), as.numeric(stream$e8))
  expect_equal(redis_command(con, "GET", "trades:malformed"), as.character(stream$malformed))
  # The test is worth something only when kills fell on both sides of the transaction.
  expect_length(ahead, 2 * kills)
  expect_true(any(ahead) && !all(ahead))
  expect_gt(redis_kills, 0)
})
