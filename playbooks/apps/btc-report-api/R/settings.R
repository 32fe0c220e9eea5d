# Settings of the service, from the environment.

#' A number of at least `least` from an environment variable
number_setting <- function(name, default, least = 0) {
  text <- Sys.getenv(name, as.character(default))
  number <- suppressWarnings(as.numeric(text))
  if (is.na(number) || number < least) {
    stop(sprintf("%s must be a number of at least %s, not `%s`", name, least, text), call. = FALSE)
  }
  number
}
