# What the transactions counted in Redis are worth.

# Coins that others are priced in on the exchange.
quote_coins <- c("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY")

#' The coin that is traded in a pair: `BTC` of `BTCUSDT`; NA when the pair is not understood
base_coin <- function(pair) {
  longest_first <- quote_coins[order(-nchar(quote_coins))]
  form <- sprintf("^(.+)(%s)$", paste(longest_first, collapse = "|"))
  ifelse(grepl(form, pair), sub(form, "\\1", pair), NA_character_)
}

#' Value of traded amounts (units of 10^-8, by pair) at these prices (table of symbol and usd)
traded_value <- function(amounts_e8, prices) {
  coin <- base_coin(names(amounts_e8))
  amount <- as.numeric(amounts_e8) / 1e8
  price <- prices$usd[match(coin, prices$symbol)]
  data.table::data.table(
    pair = names(amounts_e8), coin = coin, amount = amount, usd = amount * price
  )
}

#' The value by coin and overall, as lines of text
value_text <- function(values, transactions) {
  if (transactions == 0) {
    return("no transactions are counted yet")
  }
  known <- values[!is.na(values$usd), ]
  by_coin <- sort(tapply(known$usd, known$coin, sum), decreasing = TRUE)
  unknown <- values$pair[is.na(values$usd)]
  count <- format(transactions, big.mark = ",", scientific = FALSE)
  c(
    sprintf("%s transactions are worth %s", count, format_usd(sum(known$usd))),
    sprintf("%s: %s", names(by_coin), format_usd(as.numeric(by_coin))),
    if (length(unknown) > 0) {
      paste0("left out, as there is no price: ", paste(unknown, collapse = ", "))
    }
  )
}
