# Secrets in the Parameter Store of AWS.

#' The value of a SecureString parameter, by the AWS CLI or else by tidewalk
secret_parameter <- function(name) {
  if (!grepl("^[A-Za-z0-9_.][A-Za-z0-9_./-]*$|^/[A-Za-z0-9_./-]+$", name)) {
    stop("`", name, "` is no name of a parameter", call. = FALSE)
  }
  if (nzchar(Sys.which("aws"))) {
    command <- c(
      "aws", "ssm", "get-parameter", "--with-decryption", "--name", name,
      "--query", "Parameter.Value", "--output", "text"
    )
  } else if (nzchar(Sys.which("tidewalk"))) {
    command <- c("tidewalk", "secret", "get", name)
  } else {
    stop("neither `aws` nor `tidewalk` is installed, and one of them is needed to read the ",
      "parameter `", name, "`",
      call. = FALSE
    )
  }
  errors <- tempfile()
  on.exit(unlink(errors))
  said <- suppressWarnings(
    system2(command[1], shQuote(command[-1]), stdout = TRUE, stderr = errors)
  )
  value <- paste(said, collapse = "\n")
  if (!is.null(attr(said, "status")) || !nzchar(value)) {
    why <- trimws(paste(readLines(errors, warn = FALSE), collapse = " "))
    stop("`", command[1], "` cannot read the parameter `", name, "`: ", why, call. = FALSE)
  }
  value
}
