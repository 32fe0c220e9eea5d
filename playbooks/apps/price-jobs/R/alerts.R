# When a price is worth an alert, and when that was said already.

#' What each limit says of a price now: `rule` names the limit, `state` is how it is exceeded
#' ("" when it is not), `text` says so in words
alert_states <- function(coin, price, below = NULL, above = NULL,
                         hour = NULL, hour_ago = NULL, day = NULL, day_ago = NULL) {
  now <- format_usd(price)
  states <- list()
  if (!is.null(below)) {
    states$below <- alert_state(
      "below", below, if (price < below) "below",
      sprintf("%s is at %s, below %s", coin, now, format_usd(below))
    )
  }
  if (!is.null(above)) {
    states$above <- alert_state(
      "above", above, if (price > above) "above",
      sprintf("%s is at %s, above %s", coin, now, format_usd(above))
    )
  }
  if (!is.null(hour)) {
    change <- price - hour_ago
    states$hour <- alert_state(
      "hour", hour, if (abs(change) > hour) moved(change),
      sprintf("%s %s %s in the past hour, to %s", coin, moved(change), format_usd(abs(change)), now)
    )
  }
  if (!is.null(day)) {
    percent <- percent_change(day_ago, price)
    states$day <- alert_state(
      "day", day, if (abs(percent) > day) moved(percent),
      sprintf("%s %s %.1f%% in the past day, to %s", coin, moved(percent), abs(percent), now)
    )
  }
  data.table::rbindlist(states)
}

#' Change from one price to another in percent of the first
percent_change <- function(from, to) (to - from) / from * 100

moved <- function(change) if (change < 0) "fell" else "rose"

# The limit is part of the name: with another limit it is another rule, not yet said.
alert_state <- function(kind, limit, state, text) {
  rule <- paste0(kind, ":", format(limit, scientific = FALSE, digits = 15))
  list(rule = rule, state = if (is.null(state)) "" else state, text = text)
}

#' Which states are to be said: those that were not the same when it was last looked
alerts_to_say <- function(states, said) {
  nzchar(states$state) & states$state != said
}

alert_keys <- function(coin, states) paste0("alert:", coin, ":", states$rule)

#' What was said last of each rule, "" for nothing since it was quiet
said_alerts <- function(con, coin, states) {
  said <- redis_pipeline(con, lapply(alert_keys(coin, states), function(key) c("GET", key)))
  vapply(said, function(state) state %||% "", character(1))
}

#' Remember the states; quiet ones are forgotten, so that they are said when they are back
remember_alerts <- function(con, coin, states) {
  keys <- alert_keys(coin, states)
  redis_transaction(con, lapply(seq_along(keys), function(i) {
    if (nzchar(states$state[i])) c("SET", keys[i], states$state[i]) else c("DEL", keys[i])
  }))
}
