# Sets of trade ids as sorted ranges, `1-500,503-510`: small, because ids are consecutive.

#' Ranges from their text; none when NULL.
read_ranges <- function(text) {
  if (is.null(text) || is.na(text) || !nzchar(text)) return(list(from = numeric(), to = numeric()))
  if (!grepl("^[0-9]+-[0-9]+(,[0-9]+-[0-9]+)*$", text)) {
    stop("not ranges of trade ids: ", substr(text, 1, 40), call. = FALSE)
  }
  ends <- as.numeric(strsplit(text, "[,-]")[[1]])
  first <- seq_along(ends) %% 2 == 1
  list(from = ends[first], to = ends[!first])
}

#' Ranges as their text.
write_ranges <- function(ranges) {
  paste(sprintf("%.0f-%.0f", ranges$from, ranges$to), collapse = ",")
}

#' Is each id in one of the ranges? NA ids are not.
in_ranges <- function(ranges, ids) {
  if (length(ranges$from) == 0) return(rep(FALSE, length(ids)))
  before <- findInterval(ids, ranges$from)
  !is.na(before) & before > 0 & ids <= ranges$to[pmax(before, 1)]
}

#' Ranges with ids added, neighbours joined.
add_to_ranges <- function(ranges, ids) {
  by_start <- order(c(ranges$from, ids))
  from <- c(ranges$from, ids)[by_start]
  to <- cummax(c(ranges$to, ids)[by_start])
  starts <- c(TRUE, from[-1] > to[-length(to)] + 1)
  list(from = from[starts], to = to[c(starts[-1], TRUE)])
}

#' At most `most` ranges: the oldest are joined, and so the ids between them count as seen.
limit_ranges <- function(ranges, most) {
  extra <- length(ranges$from) - most
  if (extra <= 0) return(ranges)
  list(from = ranges$from[-seq(2, extra + 1)], to = ranges$to[-seq_len(extra)])
}
