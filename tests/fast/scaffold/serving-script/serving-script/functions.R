price <- function(coin) httr::content(httr::GET(Sys.getenv("EXCHANGE_URL", "https://api.binance.com"), query = list(coin = coin)))
