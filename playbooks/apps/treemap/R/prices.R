# Coin prices for the page: asked in a process of its own, since an exchange that does not answer
# would hold up all sessions, and kept for a while.

prices_for_seconds <- 60
retry_after_seconds <- 10

#' A reader of prices that never waits.
#'
#' Each call returns `list(usd, at, problem)`: prices by coin or NULL when there never were any,
#' their time, and NULL or the reason why there are no newer ones.
price_reader <- function(ask = ask_prices) {
  job <- NULL
  due <- Sys.time()
  known <- list(usd = NULL, at = NULL, problem = NULL)
  collect <- function() {
    answer <- tryCatch(job$get_result(), error = function(e) list(problem = conditionMessage(e)))
    job <<- NULL
    due <<- Sys.time() + if (is.null(answer$problem)) prices_for_seconds else retry_after_seconds
    if (is.null(answer$problem)) {
      known <<- list(usd = answer$usd, at = Sys.time(), problem = NULL)
    } else {
      known["problem"] <<- answer$problem
    }
  }
  function() {
    if (!is.null(job) && !job$is_alive()) collect()
    if (is.null(job) && Sys.time() >= due) job <<- ask()
    known
  }
}

#' Start asking the exchange in the background.
ask_prices <- function(folder = getwd()) {
  callr::r_bg(function(file) {
    source(file)
    tryCatch({
      prices <- coin_prices()
      list(usd = stats::setNames(prices$usd, prices$symbol))
    }, exchange_error = function(e) list(problem = conditionMessage(e)))
  }, list(file.path(folder, "R", "exchange.R")))
}
