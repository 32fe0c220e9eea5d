# What each tab shows and says, from what was polled.
# A view: `values` by symbol, their `total` as text, a `note` above, `empty` instead of tiles,
# `stale` when the numbers are not of now.

#' Transactions per symbol.
count_view <- function(trades) {
  values <- named_numbers(trades$count)
  list(values = values, total = format_count(sum(values)), note = redis_note(trades),
       empty = empty_note(trades), stale = !is.null(trades$problem))
}

#' Traded amounts in USD per symbol.
value_view <- function(trades, prices) {
  stale <- !is.null(trades$problem)
  values <- named_numbers(trades$amount)
  if (is.null(prices$usd)) {
    return(list(values = values[0], total = "\u2013", note = redis_note(trades),
                empty = no_prices_note(prices), stale = stale))
  }
  values <- value_usd(values, prices$usd)
  notes <- c(redis_note(trades), price_note(prices), missing_note(values))
  list(values = values[!is.na(values)], total = format_usd(sum(values, na.rm = TRUE)),
       note = paste(notes[nzchar(notes)], collapse = " "), empty = empty_note(trades),
       stale = stale)
}

named_numbers <- function(values) {
  if (is.null(values)) stats::setNames(numeric(), character()) else values
}

empty_note <- function(trades) {
  if (length(trades$count) > 0) return("")
  if (!is.null(trades$problem)) return("Waiting for Redis \u2026")
  "No trades yet. They appear here as soon as they are counted."
}

redis_note <- function(trades) {
  if (is.null(trades$problem)) return("")
  known <- if (length(trades$count) > 0) " These are the last known numbers." else ""
  paste0(trades$problem, ". Trying again every 2 seconds.", known)
}

no_prices_note <- function(prices) {
  if (is.null(prices$problem)) return("Asking the exchange for prices \u2026")
  sprintf("No prices from the exchange yet: %s. Trying again.", prices$problem)
}

price_note <- function(prices) {
  if (is.null(prices$problem)) return("")
  sprintf("The exchange is away (%s). These are its prices of %s.", prices$problem,
          format(prices$at, "%H:%M UTC", tz = "UTC"))
}

missing_note <- function(values) {
  missing <- names(values)[is.na(values)]
  if (length(missing) == 0) "" else sprintf("No price for %s.", paste(missing, collapse = ", "))
}
