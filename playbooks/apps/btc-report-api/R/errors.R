# What a caller is told about an error; the log gets the rest.

#' Status, message and headers of the answer to an error
error_answer <- function(error, retry_seconds) {
  if (inherits(error, "bad_request")) {
    list(status = 400L, message = conditionMessage(error))
  } else if (inherits(error, "exchange_refused")) {
    list(status = 400L, message = paste("the exchange refused:", conditionMessage(error)))
  } else if (inherits(error, "exchange_unavailable")) {
    wait <- if (is.na(error$retry_after)) max(1, ceiling(retry_seconds)) else error$retry_after
    list(
      status = 503L,
      message = paste("the exchange does not answer:", conditionMessage(error)),
      headers = list("Retry-After" = as.character(wait))
    )
  } else {
    list(status = 500L, message = "internal error")
  }
}

#' Answer for a path that is not there
not_found <- function(req, res) {
  res$status <- 404L
  res$serializer <- plumber::serializer_unboxed_json()
  list(error = sprintf("no such path: %s; see /__docs__/", req$PATH_INFO))
}

#' Error handler for plumber
handle_error <- function(retry_seconds) {
  function(req, res, err) {
    answer <- error_answer(err, retry_seconds)
    log_failure(req, answer$status, err)
    res$status <- answer$status
    for (name in names(answer$headers)) {
      res$setHeader(name, answer$headers[[name]])
    }
    # The endpoint's own serializer would make a picture or a page of it.
    res$serializer <- plumber::serializer_unboxed_json()
    list(error = answer$message)
  }
}

#' Log why a request failed: a caller's own mistake is no error of the service
log_failure <- function(req, status, error) {
  log <- if (status >= 500L) logger::log_error else logger::log_info
  log(
    "%s %s: %s", req$REQUEST_METHOD, req$PATH_INFO, conditionMessage(error),
    namespace = "global"
  )
}
