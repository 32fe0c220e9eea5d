sequence_start <- "49544985256907370027570885864065577703022652638596431874"

record <- function(text, number = 1, sub_sequence = 0) {
  list(data = openssl::base64_encode(charToRaw(text)),
       sequenceNumber = paste0(sequence_start, sprintf("%06d", number)),
       subSequenceNumber = sub_sequence)
}

trade <- function(id, quantity = "0.00120000", symbol = "BTCUSDT") {
  sprintf('{"e":"trade","s":"%s","t":%s,"p":"8300.1","q":"%s"}', symbol, format(id), quantity)
}

batch <- function(texts) {
  parse_records(unname(Map(record, texts, seq_along(texts))))
}

count_texts <- function(texts, checkpoint = NULL, seen = list(), most = 1000) {
  count_batch(batch(texts), checkpoint, seen, most)
}

test_that("records are sorted into trades, tests and malformed, whatever stands beside them", {
  texts <- c(
    trade(1),
    " {\"q\" : \"2\", \"new\":{\"a\":[1]}, \"t\":2,\"s\":\"ETHBTC\"}\n",
    '{"s":"BTCUSDT","q":0.5}',
    "{\"s\":\"BTC", "", "null", "12", "[]", "[{}]", "{}", "}{", "\xff{}", '{"a":"x}', '{y":1}',
    '{"e":"aggTrade","s":"BTCUSDT","t":3,"q":"1"}',
    '{"e":"trade","s":"BTCUSDT","t":3}', '{"e":"trade","q":"1","t":3}',
    '{"s":"BTC USDT","q":"1","t":3}', '{"s":"BTCUSDT","q":"-1","t":3}',
    '{"s":"BTCUSDT","q":"1e3","t":3}', '{"s":"BTCUSDT","q":"0.000000001","t":3}',
    '{"s":"BTCUSDT","q":"1","t":"x"}', '{"s":"BTCUSDT","q":"1","t":3.5}',
    '{"s":"BTCUSDT","q":"1","t":[3]}', '{"s":"BTCUSDT","q":"1","t":99999999999999999999}',
    '{"s":["BTCUSDT"],"q":"1","t":3}', trade(4)
  )
  records <- batch(texts)
  expect_identical(records$kind, c("trade", "trade", "test",
                                   rep("malformed", length(texts) - 4), "trade"))
  expect_identical(records$id[c(1, 2, 3, 27)], c(1, 2, NA, 4))
  expect_identical(records$symbol[2], "ETHBTC")
})

test_that("two broken texts do not mend each other", {
  records <- batch(c('{"s":"A","q":"1","t":1', '"t":2},{"s":"B","q":"1","t":2}', trade(3)))
  expect_identical(records$kind, c("malformed", "malformed", "trade"))
  expect_identical(records$id, c(NA, NA, 3))
})

test_that("data that is no base64, or missing, is malformed", {
  records <- parse_records(list(
    list(data = "%%%", sequenceNumber = "1"), list(sequenceNumber = "2"),
    list(sequenceNumber = "3", data = openssl::base64_encode(as.raw(0:3))), record(trade(1))
  ))
  expect_identical(records$kind, c("malformed", "malformed", "malformed", "trade"))
})

test_that("positions sort as numbers, then by sub-sequence", {
  sequences <- c("9", "10", "010", "49544985256907370027570885864065577703022652638596431874",
                 "49544985256907370027570885864065577703022652638596431875")
  expect_identical(order(position(sequences)), 1:5)
  expect_identical(position("010"), position("10"))
  expect_true(position("10", 9) < position("10", 10))
  expect_true(position("10", 10) < position("11", 0))
  expect_true(checkpoint_position(NULL) < position("0"))
  expect_identical(checkpoint_position("10 3"), position("10", 3))
  expect_error(position(c("1", "TRIM_HORIZON")), "TRIM_HORIZON")
})

test_that("amounts are exact where doubles are not", {
  sum_texts <- function(texts) {
    amount <- split_amount(texts)
    sum_e8(amount$units, amount$fraction)
  }
  expect_identical(sum_texts(rep("0.1", 10)), "100000000")
  expect_identical(sum_texts(c("0.00000001", "0", "0.00000000")), "1")
  expect_identical(sum_texts("0"), "0")
  expect_identical(sum_texts(c("0.57", "1.15", "4.35")), "607000000")
  # 90,071,992.54740993 is 2^53 + 1 in units of 10^-8.
  expect_identical(sum_texts("90071992.54740993"), "9007199254740993")
  expect_identical(sum_texts(rep("89999999999.99999999", 3)), "26999999999999999997")
  expect_identical(sum_texts("1.5000000000000"), "150000000")
  expect_true(all(is.na(split_amount(c("", ".5", "5.", "1,5", "NaN", NA, "99999999999"))$units)))
})

test_that("ranges are read, searched, extended and written", {
  ranges <- read_ranges("1-500,503-510")
  expect_identical(in_ranges(ranges, c(0, 1, 500, 501, 502, 503, 510, 511, NA)),
                   c(FALSE, TRUE, TRUE, FALSE, FALSE, TRUE, TRUE, FALSE, FALSE))
  expect_identical(write_ranges(add_to_ranges(ranges, c(502, 501))), "1-510")
  expect_identical(write_ranges(add_to_ranges(ranges, c(512, 9e14))),
                   "1-500,503-510,512-512,900000000000000-900000000000000")
  expect_identical(write_ranges(add_to_ranges(read_ranges(NULL), c(3, 1))), "1-1,3-3")
  expect_error(read_ranges("1-5,x"), "1-5,x")
})

test_that("ranges agree with plain sets on random ids", {
  set.seed(20261130)
  ranges <- read_ranges(NULL)
  ids <- numeric()
  for (round in 1:30) {
    new <- sample(300, 12, replace = TRUE)
    expect_identical(in_ranges(ranges, new), new %in% ids)
    ranges <- read_ranges(write_ranges(add_to_ranges(ranges, new)))
    ids <- union(ids, new)
    expect_identical(unlist(Map(seq, ranges$from, ranges$to)), as.integer(sort(ids)))
    expect_true(all(utils::head(ranges$to, -1) + 1 < ranges$from[-1]))
  }
})

test_that("too many ranges: the oldest are joined", {
  ranges <- read_ranges("1-1,3-3,5-6,9-9")
  expect_identical(write_ranges(limit_ranges(ranges, 4)), "1-1,3-3,5-6,9-9")
  expect_identical(write_ranges(limit_ranges(ranges, 2)), "1-6,9-9")
  expect_identical(write_ranges(limit_ranges(ranges, 1)), "1-9")
  added <- count_texts(c(trade(1), trade(3), trade(5)), most = 2)
  expect_identical(added$seen, c(BTCUSDT = "1-3,5-5"))
  expect_identical(added$joined, "BTCUSDT")
})

test_that("a batch counts each new trade once", {
  added <- count_texts(
    c(trade(7), trade(5), trade(7), trade(2), trade(5, "3", "ETHBTC"), "junk",
      '{"s":"BTCUSDT","q":"1"}', '{"s":"BTCUSDT","q":"1"}'),
    seen = list(BTCUSDT = "1-3")
  )
  expect_identical(added$count, c(BTCUSDT = 4L, ETHBTC = 1L))
  expect_identical(added$amount, c(BTCUSDT = "200240000", ETHBTC = "300000000"))
  expect_identical(added$seen, c(BTCUSDT = "1-3,5-5,7-7", ETHBTC = "5-5"))
  expect_identical(added$malformed, 1L)
  expect_equal(added$repeated, 2)
  expect_identical(added$checkpoint, paste0(sequence_start, "000008 0"))
})

test_that("records up to the checkpoint are left out, also within an aggregated record", {
  stored <- paste0(sequence_start, "000002 0")
  added <- count_texts(c(trade(1), trade(2), trade(3)), checkpoint = stored)
  expect_identical(added$count, c(BTCUSDT = 1L))
  expect_identical(added$covered, 2L)

  all_covered <- count_texts(c(trade(1), "junk"), checkpoint = stored)
  expect_null(all_covered$checkpoint)
  expect_identical(all_covered$malformed, 0L)

  parts <- parse_records(lapply(0:3, function(i) record(trade(i), 2, i)))
  added <- count_batch(parts, paste0(sequence_start, "000002 1"), list(), 1000)
  expect_identical(added$seen, c(BTCUSDT = "2-3"))
  expect_identical(added$checkpoint, paste0(sequence_start, "000002 3"))
})
