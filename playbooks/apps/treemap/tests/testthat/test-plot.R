field <- function(tiles, name) sapply(tiles, `[[`, name)

test_that("tiles are ranked, labelled and stable among ties", {
  tiles <- make_tiles(c(B = 10, A = 10, C = 979, D = 1, none = 0, bad = NA), 800, 600,
                      format_count)
  expect_identical(field(tiles, "symbol"), c("C", "A", "B", "D"))
  expect_identical(field(tiles, "rank"), 1:4)
  expect_identical(field(tiles, "value"), c("979", "10", "10", "1"))
  expect_identical(field(tiles, "share"), c("98%", "1%", "1%", "<1%"))
  expect_identical(make_tiles(c(a = 0), 800, 600, format_count), list())
})

test_that("labels stay within their tiles, or are left out", {
  set.seed(1)
  for (round in 1:20) {
    values <- stats::setNames(rlnorm(14, 6, 2), paste0("SYMB", LETTERS[1:14], "ZW"))
    tiles <- do.call(rbind, lapply(make_tiles(values, 900, 500, format_usd_short), as.data.frame))
    line <- paste(tiles$value, tiles$share, sep = " \u00b7 ")
    expect_true(all(tiles$symbol_font * symbol_letter * 7 <= pmax(0, tiles$width - 15)))
    expect_true(all(tiles$value_font * value_letter * nchar(line) <= pmax(0, tiles$width - 15)))
    expect_true(all(1.25 * (tiles$symbol_font + tiles$value_font) <= pmax(0, tiles$height - 10)))
    fonts <- c(tiles$symbol_font, tiles$value_font)
    expect_true(all(fonts == 0 | fonts >= smallest_font))
    expect_true(tiles$symbol_font[1] == largest_font)
  }
})

test_that("numbers read well", {
  expect_identical(format_count(12345678), "12,345,678")
  expect_identical(format_count(1e5), "100,000")
  expect_identical(format_usd(1234567.8), "$1,234,568")
  expect_identical(
    format_usd_short(c(0, 0.5, 12.345, 820100, 1234567.8, 9.87e9, 4.2e15)),
    c("$0", "$0.500", "$12.3", "$820k", "$1.23M", "$9.87B", "$4200T")
  )
})
