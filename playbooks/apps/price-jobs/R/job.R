# What every job has in common: its options, its help, and its exit code
# (0: done, 1: it could not do its work, 2: wrong arguments).

dry_run_option <- list(
  about = "Print what would be posted or written, and change nothing"
)

#' Run a job as a script does: read its options, do `main(args)`, leave with an exit code
run_job <- function(name, about, options, main, words = commandArgs(trailingOnly = TRUE)) {
  options <- c(options, list("dry-run" = dry_run_option))
  if (any(words %in% c("--help", "-h"))) {
    cat(job_help(name, about, options))
    quit(save = "no", status = 0)
  }
  status <- tryCatch(
    {
      start_logging(Sys.getenv("LOG_LEVEL", "INFO"))
      args <- job_arguments(words, options)
      main(args)
      0
    },
    job_usage = function(e) {
      complain(name, paste0(conditionMessage(e), " (see --help)"))
      2
    },
    error = function(e) {
      complain(name, paste0(blamed(e), conditionMessage(e)))
      1
    }
  )
  quit(save = "no", status = status)
}

#' The options' values by their names, `-` as `_`; each one has `about`, and with `value` (what
#' stands for it in the help) also `read`, a function that judges and converts the text
job_arguments <- function(words, options) {
  given <- list()
  while (length(words) > 0) {
    taken <- take_option(words, options)
    if (taken$name %in% names(given)) {
      job_usage("--", taken$name, " is given twice")
    }
    given[[taken$name]] <- taken$value
    words <- taken$rest
  }
  values <- lapply(names(options), function(name) {
    given[[name]] %||% option_default(options[[name]], name)
  })
  stats::setNames(values, gsub("-", "_", names(options)))
}

#' The first option of these words, its value, and the rest of the words
take_option <- function(words, options) {
  name <- sub("^--([^=]+).*$", "\\1", words[1])
  option <- if (startsWith(words[1], "--")) options[[name]]
  inline <- grepl("=", words[1], fixed = TRUE)
  if (is.null(option)) {
    job_usage("there is no option `", words[1], "`")
  }
  if (is.null(option$value)) {
    if (inline) job_usage("--", name, " takes no value")
    return(list(name = name, value = TRUE, rest = words[-1]))
  }
  if (inline) {
    words <- c(name, sub("^[^=]*=", "", words[1]), words[-1])
  } else if (length(words) < 2 || startsWith(words[2], "--")) {
    job_usage("--", name, " needs a value, such as `--", name, " ", option$example, "`")
  }
  list(name = name, value = option$read(words[2], name), rest = words[-(1:2)])
}

#' What an option is when it is not given: a switch is off, others may have no value
option_default <- function(option, name) {
  if (is.null(option$value)) {
    FALSE
  } else if (!is.null(option$default)) {
    option$read(option$default, name)
  }
}

#' Read a positive number
read_number <- function(text, name) {
  number <- suppressWarnings(as.numeric(text))
  if (is.na(number) || !is.finite(number) || number <= 0) {
    job_usage("--", name, " takes a number above 0, not `", text, "`")
  }
  number
}

#' Read names of coins, separated by commas
read_coins <- function(text, name) {
  coins <- toupper(strsplit(trimws(text), "[[:space:]]*,[[:space:]]*")[[1]])
  if (length(coins) == 0 || !all(grepl("^[A-Z0-9]+$", coins))) {
    job_usage("--", name, " takes coins such as `BTC,ETH`, not `", text, "`")
  }
  unique(coins)
}

#' Read the name of one coin
read_coin <- function(text, name) {
  coin <- read_coins(text, name)
  if (length(coin) != 1) {
    job_usage("--", name, " takes one coin such as `BTC`, not `", text, "`")
  }
  coin
}

#' The option `--coins`
coins_option <- function() {
  list(
    value = "COINS", example = "BTC,ETH", read = read_coins,
    default = Sys.getenv("COINS", "BTC,ETH"),
    about = "The coins; without it, those of the environment variable COINS"
  )
}

#' What `--help` prints
job_help <- function(name, about, options) {
  options <- c(options, list(help = list(about = "Print this help")))
  left <- vapply(names(options), function(option) {
    paste(c(paste0("--", option), options[[option]]$value), collapse = " ")
  }, character(1))
  right <- vapply(options, function(option) {
    if (is.null(option$default)) option$about else sprintf("%s [%s]", option$about, option$default)
  }, character(1))
  lines <- paste0("  ", formatC(left, width = -max(nchar(left))), "  ", right)
  paste0("Usage: ", name, " [OPTIONS]\n\n", about, "\n\n", paste0(lines, "\n", collapse = ""))
}

#' Stop because of how the job was called
job_usage <- function(...) {
  stop(structure(
    class = c("job_usage", "error", "condition"),
    list(message = paste0(...), call = NULL)
  ))
}

#' Whose error it is, where its message does not say so itself
blamed <- function(error) {
  if (inherits(error, "exchange_unavailable")) {
    "the exchange does not answer: "
  } else if (inherits(error, "exchange_refused")) {
    "the exchange refused: "
  } else {
    ""
  }
}

#' One plain line on stderr, whatever lines the message has
complain <- function(name, message) {
  cat(name, ": ", gsub("[[:space:]]*\n[[:space:]]*", " ", trimws(message)), "\n",
    sep = "", file = stderr()
  )
}

#' Log to stderr, from this level on
start_logging <- function(level) {
  levels <- c("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
  if (!toupper(level) %in% levels) {
    job_usage("LOG_LEVEL is one of ", paste(levels, collapse = ", "), ", not `", level, "`")
  }
  logger::log_threshold(toupper(level))
  # The usual formatter would evaluate braces in a message.
  logger::log_formatter(logger::formatter_paste)
}

`%||%` <- function(value, other) if (is.null(value)) other else value
