# What the browser draws: tiles with their place, colour and labels. Values in, values out.

# Widths of a letter in units of the font size, on the generous side: fonts differ.
symbol_letter <- 0.82
value_letter <- 0.66
smallest_font <- 9
largest_font <- 36

#' Tiles for named values in a box of pixels, as a list of lists, largest first.
make_tiles <- function(values, width, height, format_value) {
  values <- values[is.finite(values) & values > 0]
  # Ties in a stable order, or tiles of equal size would trade places at every update.
  values <- values[order(-values, names(values))]
  if (length(values) == 0) return(list())
  tiles <- squarify(values, width, height)
  tiles$symbol <- names(values)
  tiles$value <- format_value(values)
  tiles$share <- format_share(values / sum(values))
  tiles$rank <- seq_along(values)
  tiles <- cbind(tiles, fit_label(tiles))
  unname(lapply(split(tiles, tiles$rank), as.list))
}

#' Font sizes for a tile's two lines, symbol and value; 0 where the line would not fit.
fit_label <- function(tiles) {
  room_x <- tiles$width - 16
  room_y <- tiles$height - 10
  symbol_font <- pmin(largest_font, room_x / (symbol_letter * nchar(tiles$symbol)), room_y / 1.3)
  symbol_font[symbol_font < smallest_font] <- 0

  line <- paste(tiles$value, tiles$share, sep = " \u00b7 ")
  value_font <- pmin(pmax(0.55 * symbol_font, 12), 0.95 * symbol_font,
                     room_x / (value_letter * nchar(line)), (room_y - 1.3 * symbol_font) / 1.3)
  value_font[value_font < smallest_font] <- 0
  data.frame(symbol_font = round(symbol_font, 1), value_font = round(value_font, 1))
}

#' 12345 as "12,345".
format_count <- function(count) {
  format(count, big.mark = ",", scientific = FALSE, trim = TRUE, nsmall = 0)
}

#' 1234567.8 as "$1.23M".
format_usd_short <- function(usd) {
  step <- findInterval(usd, c(1e3, 1e6, 1e9, 1e12))
  digits <- sub("\\.$", "", formatC(usd / 1000^step, digits = 3, format = "fg", flag = "#"))
  paste0("$", digits, c("", "k", "M", "B", "T")[step + 1])
}

#' 1234567.8 as "$1,234,568".
format_usd <- function(usd) {
  paste0("$", format(round(usd), big.mark = ",", scientific = FALSE, trim = TRUE))
}

#' 0.1234 as "12%".
format_share <- function(share) {
  ifelse(share < 0.01, "<1%", sprintf("%.0f%%", 100 * share))
}
