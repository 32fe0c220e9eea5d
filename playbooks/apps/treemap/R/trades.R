# The totals that trade-counter keeps in Redis, and what they are worth.

# Coins that others are traded against; a symbol is a base coin followed by one of them.
quote_coins <- c("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB")

#' A reader of the totals; keeps its connection, and opens a new one when that broke.
#'
#' Each call returns `list(count, amount, problem)`: named numbers, and NULL or a reason why
#' these are not today's. When Redis is away they are the last known ones, or NULL.
trade_reader <- function(url, prefix = "trades") {
  con <- NULL
  known <- list(count = NULL, amount = NULL)
  read <- function() {
    # Every session waits for this: a server that hangs must not hold them for long.
    if (is.null(con)) con <<- redis_connect(url, timeout = 2)
    numbers <- function(key) {
      hash <- redis_hash(con, paste0(prefix, ":", key))
      stats::setNames(as.numeric(hash), names(hash))
    }
    list(count = numbers("count"), amount = numbers("amount_e8") / 1e8)
  }
  function() {
    tryCatch({
      known <<- read()
      c(known, list(problem = NULL))
    }, redis_lost = function(e) {
      con <<- NULL
      c(known, list(problem = conditionMessage(e)))
    }, redis_error = function(e) {
      c(known, list(problem = conditionMessage(e)))
    })
  }
}

#' "LTCBTC" as "LTC"; NA when it ends with no coin known as a quote.
base_coin <- function(symbols) {
  form <- sprintf("^(.+)(%s)$", paste(quote_coins, collapse = "|"))
  ifelse(grepl(form, symbols), sub(form, "\\1", symbols), NA)
}

#' Traded amounts of base coins in USD, named by symbol; NA without a price.
value_usd <- function(amount, usd) {
  stats::setNames(amount * unname(usd[base_coin(names(amount))]), names(amount))
}
