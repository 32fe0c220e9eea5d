# A short memory in front of the exchange, so that a burst of requests asks it once.

#' A function `remember(key, compute)` that computes a key at most once in `seconds`
#'
#' That the exchange does not answer is remembered too: otherwise each request of a
#' burst would wait for the same timeout, one after the other, in the only R process.
new_cache <- function(seconds, now = function() as.numeric(Sys.time())) {
  entries <- list()
  function(key, compute) {
    entries <<- Filter(function(entry) entry$expires > now(), entries)
    if (is.null(entries[[key]])) {
      value <- tryCatch(compute(), exchange_unavailable = identity)
      # The time starts when the answer is there: what takes long is kept as long.
      entries[[key]] <<- list(value = value, expires = now() + seconds)
    }
    value <- entries[[key]]$value
    if (inherits(value, "exchange_unavailable")) {
      stop(value)
    }
    value
  }
}
