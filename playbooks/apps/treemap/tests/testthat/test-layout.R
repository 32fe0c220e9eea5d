# The largest overlap of any two tiles, in both directions.
overlap <- function(tiles) {
  shared <- function(start, size) {
    outer(start + size, start + size, pmin) - outer(start, start, pmax)
  }
  both <- pmin(shared(tiles$x, tiles$width), shared(tiles$y, tiles$height))
  max(0, both[upper.tri(both)])
}

test_that("areas are proportional, inside the box and apart, for many random values", {
  set.seed(20261130)
  for (round in 1:60) {
    values <- rlnorm(sample(40, 1), sdlog = 2)
    width <- runif(1, 100, 2000)
    height <- runif(1, 100, 2000)
    tiles <- squarify(values, width, height)
    expect_equal(tiles$width * tiles$height, values / sum(values) * width * height)
    expect_true(all(tiles$x > -1e-6 & tiles$x + tiles$width < width + 1e-6))
    expect_true(all(tiles$y > -1e-6 & tiles$y + tiles$height < height + 1e-6))
    expect_lt(overlap(tiles), 1e-6)
  }
})

test_that("the example of the paper comes out as printed there", {
  # Bruls et al., figure 5: areas 6 6 4 3 2 2 1 in a box of 6 by 4.
  tiles <- squarify(c(6, 6, 4, 3, 2, 2, 1), 6, 4)
  expect_equal(unlist(tiles[1, ]), c(x = 0, y = 0, width = 3, height = 2))
  expect_equal(unlist(tiles[2, ]), c(x = 0, y = 2, width = 3, height = 2))
  expect_equal(tiles$width[3:4], c(12 / 7, 9 / 7))
  expect_equal(tiles$height[3:4], c(7 / 3, 7 / 3))
})

test_that("equal values make squares, and tiles are much squarer than slices", {
  square <- squarify(rep(1, 16), 400, 400)
  expect_equal(square$width, rep(100, 16))
  expect_equal(square$height, rep(100, 16))
  long <- squarify(rep(1, 8), 800, 100)
  expect_equal(long$width / long$height, rep(1, 8))
})

test_that("none, one and zero values are fine; negative ones are refused", {
  expect_identical(nrow(squarify(numeric(), 10, 10)), 0L)
  expect_equal(squarify(5, 30, 20), data.frame(x = 0, y = 0, width = 30, height = 20))
  expect_equal(squarify(c(0, 5, 0), 30, 20)$width, c(0, 30, 0))
  expect_error(squarify(-1, 10, 10))
})
