test_that("every kind of reply arrives as its R value", {
  con <- client(start_redis()$url)
  expect_identical(redis_command(con, "SET", "k", "v"), "OK")
  expect_identical(redis_command(con, "GET", "k"), "v")
  expect_null(redis_command(con, "GET", "absent"))
  expect_identical(redis_command(con, "HINCRBY", "h", "f", 100000), 100000)
  expect_identical(redis_command(con, "HGETALL", "h"), list("f", "100000"))
  expect_identical(redis_command(con, "MGET", "k", "absent"), list("v", NULL))
  expect_identical(redis_hash(con, "h"), c(f = "100000"))
  expect_length(redis_hash(con, "absent"), 0)
  expect_error(redis_command(con, "HGET", "k", "f"), "WRONGTYPE", class = "redis_error")
  expect_identical(redis_command(con, "PING"), "PONG")
})

test_that("text, bytes, empty and large values survive", {
  con <- client(start_redis()$url)
  for (value in list("", "Łódź € 🦀", "a\r\nb\n", strrep("x", 3e6))) {
    redis_command(con, "SET", "k", value)
    expect_identical(redis_command(con, "GET", "k"), enc2utf8(value))
  }
  bytes <- as.raw(c(0:255, 13, 10, 0))
  redis_command(con, "SET", "bytes", bytes)
  expect_identical(redis_command(con, "GET", "bytes"), bytes)
})

test_that("integers beyond a double keep their digits", {
  con <- client(start_redis()$url)
  redis_command(con, "SET", "n", "9007199254740992")
  expect_identical(redis_command(con, "INCR", "n"), "9007199254740993")
})

test_that("a pipeline answers in order and reports the refusal after reading it all", {
  con <- client(start_redis()$url)
  replies <- redis_pipeline(con, lapply(1:5000, function(i) c("SET", paste0("k", i), i)))
  expect_length(replies, 5000)
  expect_error(redis_pipeline(con, list("PING", "NONSENSE", c("SET", "after", "1"))),
               "unknown command", class = "redis_error")
  expect_identical(redis_command(con, "GET", "after"), "1")
  expect_identical(redis_pipeline(con, list()), list())
})

test_that("a transaction is all or nothing, and NULL when a watched key changed", {
  url <- start_redis()$url
  con <- client(url)
  other <- client(url)
  redis_command(con, "WATCH", "k")
  redis_command(other, "SET", "k", "theirs")
  expect_null(redis_transaction(con, list(c("SET", "k", "ours"))))
  expect_identical(redis_command(con, "GET", "k"), "theirs")
  expect_identical(redis_transaction(con, list(c("SET", "k", "ours"), c("GET", "k"))),
                   list("OK", "ours"))
  expect_error(redis_transaction(con, list(c("SET", "k", "x"), "NONSENSE")),
               "unknown command", class = "redis_error")
  expect_identical(redis_command(con, "GET", "k"), "ours")
  expect_error(redis_transaction(con, list(c("HGET", "k", "f"))), "WRONGTYPE",
               class = "redis_error")
})

test_that("a lost server, a silent one and a stranger are redis_lost", {
  server <- start_redis()
  con <- client(server$url)
  server$process$kill()
  expect_error(redis_command(con, "PING"), server$port, class = "redis_lost")
  expect_error(redis_command(con, "PING"), "closed", class = "redis_lost")
  expect_error(redis_connect(server$url), "cannot connect", class = "redis_lost")

  silent <- start_redis()
  con <- client(silent$url, timeout = 1)
  silent$process$suspend()
  expect_error(redis_command(con, "PING"), "timed out", class = "redis_lost")
  silent$process$resume()
  redis_close(con)
})

test_that("address, password and database are taken from the URL", {
  server <- start_redis(args = c("--requirepass", "s%cret:"))
  at <- function(credentials, path = "") {
    sprintf("redis://%s127.0.0.1:%d%s", credentials, server$port, path)
  }
  con <- client(at(":s%25cret%3A@", "/3"))
  redis_command(con, "SET", "k", "v")
  expect_match(redis_command(con, "CLIENT", "LIST"), "db=3")
  expect_error(redis_connect(at("")), "NOAUTH", class = "redis_error")
  refused <- expect_error(redis_connect(at(":wrong@")), "WRONGPASS", class = "redis_error")
  expect_no_match(conditionMessage(refused), "wrong@")
  expect_error(redis_connect("http://:hidden@x"), "must look like redis://")
})
