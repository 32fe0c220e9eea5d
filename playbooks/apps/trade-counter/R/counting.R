# Reading, comparing and summing trades: values in, values out, no input or output.

# Redis counts in signed 64-bit integers of 10^-8, so one trade beyond this is no trade.
max_units <- 9e10

#' Records as the daemon delivers them, as a data frame: one row each, in order.
#'
#' `kind` is "trade", "test" (a quantity without a trade id) or "malformed".
parse_records <- function(records) {
  trades <- parse_json_texts(vapply(records, decode_data, ""))
  field <- function(name) vapply(trades, field_text, "", name)
  amount <- split_amount(field("q"))
  symbol <- field("s")
  event <- field("e")
  id <- field("t")

  # Beyond 15 digits a double could no longer tell two ids apart.
  whole_id <- grepl("^[0-9]{1,15}$", id)
  usable <- grepl("^[A-Za-z0-9._-]{1,40}$", symbol) & !is.na(amount$units) &
    (is.na(event) | event == "trade")
  kind <- ifelse(usable & whole_id, "trade", ifelse(usable & is.na(id), "test", "malformed"))
  id[!whole_id] <- NA

  sequence <- vapply(records, function(record) as.character(record$sequenceNumber), "")
  sub_sequence <- vapply(records, function(record) {
    if (is.null(record$subSequenceNumber)) 0 else as.numeric(record$subSequenceNumber)
  }, 0)
  data.frame(sequence, sub_sequence, position = position(sequence, sub_sequence), kind, symbol,
             id = as.numeric(id), units = amount$units, fraction = amount$fraction)
}

decode_data <- function(record) {
  text <- tryCatch(rawToChar(jsonlite::base64_dec(record$data)), error = function(e) "")
  Encoding(text) <- "UTF-8"
  text
}

# One parse of all texts joined is many times faster than one each. Joining is sound because
# only texts that are whole JSON objects by themselves take part; the others become NULL.
parse_json_texts <- function(texts) {
  whole <- validUTF8(texts)
  whole[whole] <- grepl("^[ \t\r\n]*\\{", texts[whole])
  whole[whole] <- vapply(texts[whole], function(text) isTRUE(jsonlite::validate(text)), NA)
  values <- vector("list", length(texts))
  joined <- paste0("[", paste(texts[whole], collapse = ","), "]")
  values[whole] <- jsonlite::parse_json(joined, bigint_as_char = TRUE)
  values
}

field_text <- function(object, name) {
  value <- object[[name]]
  if (is.character(value)) return(value)
  if (is.integer(value)) return(as.character(value))
  if (is.numeric(value)) return(format(value, scientific = FALSE, digits = 15, trim = TRUE))
  # Present, but a list or a logical: not the same as absent.
  if (is.null(value)) NA_character_ else ""
}

#' Where a record stands in its shard, as text that sorts in the shard's order.
position <- function(sequence, sub_sequence = 0) {
  sequence <- sub("^0+(?=.)", "", sequence, perl = TRUE)
  bad <- !grepl("^[0-9]{1,80}$", sequence)
  if (any(bad)) stop("not a sequence number: ", sequence[bad][1], call. = FALSE)
  paste0(strrep("0", 80 - nchar(sequence)), sequence, sprintf("%020.0f", sub_sequence))
}

#' The position of a stored "SEQUENCENUMBER SUBSEQUENCENUMBER"; "" (before all) when NULL.
checkpoint_position <- function(text) {
  if (is.null(text)) return("")
  parts <- strsplit(text, " ", fixed = TRUE)[[1]]
  position(parts[1], if (length(parts) > 1) as.numeric(parts[2]) else 0)
}

#' Decimal texts as whole units and units of 10^-8, both exact; NA where it cannot be.
split_amount <- function(texts) {
  units <- fraction <- rep(NA_real_, length(texts))
  decimal <- grepl("^[0-9]{1,11}(\\.[0-9]{1,8}0*)?$", texts)
  units[decimal] <- as.numeric(sub("\\..*", "", texts[decimal]))
  digits <- sub("^[^.]*\\.?", "", texts[decimal])
  fraction[decimal] <- as.numeric(substr(paste0(digits, "00000000"), 1, 8))
  units[!is.na(units) & units > max_units] <- NA
  list(units = units, fraction = fraction)
}

#' The exact sum, in units of 10^-8, as text: a double could not hold it.
sum_e8 <- function(units, fraction) {
  carried <- sum(fraction)
  whole <- sum(units) + carried %/% 1e8
  sub("^0+(?=.)", "", sprintf("%.0f%08.0f", whole, carried %% 1e8), perl = TRUE)
}

#' What a batch adds, given the shard's stored checkpoint and the stored seen texts by symbol.
#'
#' Leaves out records that the checkpoint covers and trades whose id was seen before.
count_batch <- function(records, checkpoint, seen, most_ranges) {
  new <- records[records$position > checkpoint_position(checkpoint), ]
  new <- new[!duplicated(new$position), ]
  result <- list(count = integer(), amount = character(), seen = character(), joined = character(),
                 malformed = sum(new$kind == "malformed"), covered = nrow(records) - nrow(new),
                 repeated = 0, checkpoint = NULL)
  if (nrow(new) == 0) return(result)

  last <- new[which.max(rank(new$position)), ]
  result$checkpoint <- sprintf("%s %.0f", last$sequence, last$sub_sequence)
  for (symbol in unique(new$symbol[new$kind != "malformed"])) {
    rows <- new[new$kind != "malformed" & new$symbol == symbol, ]
    ranges <- read_ranges(seen[[symbol]])
    trade <- rows$kind == "trade"
    fresh <- !trade | !(duplicated(rows$id) | in_ranges(ranges, rows$id))
    result$repeated <- result$repeated + sum(!fresh)
    if (!any(fresh)) next
    result$count[symbol] <- sum(fresh)
    result$amount[symbol] <- sum_e8(rows$units[fresh], rows$fraction[fresh])
    if (!any(fresh & trade)) next
    ranges <- add_to_ranges(ranges, rows$id[fresh & trade])
    if (length(ranges$from) > most_ranges) result$joined <- c(result$joined, symbol)
    result$seen[symbol] <- write_ranges(limit_ranges(ranges, most_ranges))
  }
  result
}
