# The report: HTML from R Markdown.

#' Render report.Rmd of the candles, and return the page as one text
render_report <- function(candles, template = "report.Rmd") {
  # Everything is written to a folder of its own: the app's may be read-only.
  folder <- tempfile("report-")
  dir.create(folder)
  on.exit(unlink(folder, recursive = TRUE))
  page <- rmarkdown::render(
    template,
    output_file = "report.html",
    output_dir = folder,
    intermediates_dir = folder,
    params = list(candles = candles),
    envir = new.env(parent = environment(render_report)),
    quiet = TRUE
  )
  paste(readLines(page, encoding = "UTF-8"), collapse = "\n")
}
