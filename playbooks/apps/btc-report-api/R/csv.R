# A CSV serializer for plumber; its own needs one more package, readr.

#' Serialize a table as CSV, times in ISO 8601
csv_serializer <- function() {
  plumber::serializer_content_type("text/csv; charset=UTF-8", function(table) {
    lines <- utils::capture.output(data.table::fwrite(table))
    paste0(lines, "\n", collapse = "")
  })
}
