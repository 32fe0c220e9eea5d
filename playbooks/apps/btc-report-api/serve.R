# Serve a plumber file: Rscript serve.R plumber.R

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 1L || !file.exists(arguments)) {
  stop("usage: Rscript serve.R FILE, where FILE is a plumber file such as plumber.R", call. = FALSE)
}
port <- Sys.getenv("PORT", "8000")
if (!grepl("^[0-9]{1,5}$", port)) {
  stop(sprintf("PORT must be a number, not `%s`", port), call. = FALSE)
}
api <- plumber::pr(arguments)
plumber::pr_run(api, host = "0.0.0.0", port = as.integer(port), docs = TRUE)
