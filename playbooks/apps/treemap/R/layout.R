# Squarified treemap layout. Algorithm: Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000):
# rows are laid along the shorter side of the space still free; a row takes in the next value as
# long as that does not make its worst tile more oblong.

#' A rectangle for each value inside `width` x `height`, its area in proportion to the value.
#'
#' Returns a data frame x, y, width, height in the order of `values`; zero values get no area.
squarify <- function(values, width, height) {
  stopifnot(all(values >= 0), width > 0, height > 0)
  none <- rep(0, length(values))
  tiles <- data.frame(x = none, y = none, width = none, height = none)
  by_size <- order(values, decreasing = TRUE)
  waiting <- by_size[values[by_size] > 0]
  areas <- values / sum(values) * width * height
  free <- list(x = 0, y = 0, width = width, height = height)
  while (length(waiting) > 0) {
    row <- waiting[seq_len(row_length(areas[waiting], min(free$width, free$height)))]
    tiles[row, ] <- lay_row(areas[row], free)
    free <- space_after(sum(areas[row]), free)
    waiting <- setdiff(waiting, row)
  }
  tiles
}

# How many of the areas (largest first) make the best row along a side of this length.
row_length <- function(areas, side) {
  n <- 1
  while (n < length(areas) &&
           worst_ratio(areas[seq_len(n + 1)], side) <= worst_ratio(areas[seq_len(n)], side)) {
    n <- n + 1
  }
  n
}

# The ratio of sides of the most oblong tile in a row.
worst_ratio <- function(areas, side) {
  depth <- sum(areas) / side
  lengths <- areas / depth
  max(lengths / depth, depth / lengths)
}

lay_row <- function(areas, free) {
  if (free$width >= free$height) {
    depth <- sum(areas) / free$height
    lengths <- areas / depth
    data.frame(free$x, free$y + cumsum(lengths) - lengths, depth, lengths)
  } else {
    depth <- sum(areas) / free$width
    lengths <- areas / depth
    data.frame(free$x + cumsum(lengths) - lengths, free$y, lengths, depth)
  }
}

space_after <- function(area, free) {
  if (free$width >= free$height) {
    depth <- area / free$height
    list(x = free$x + depth, y = free$y, width = free$width - depth, height = free$height)
  } else {
    depth <- area / free$width
    list(x = free$x, y = free$y + depth, width = free$width, height = free$height - depth)
  }
}
