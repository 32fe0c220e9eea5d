# Slack: messages by a webhook or a bot's token, images by a token only.
# A token and a webhook's address are secrets: no message of an error may hold them.

#' Where to post, from the environment; the token wins, as it can do more
slack_settings <- function() {
  set <- function(name) if (nzchar(Sys.getenv(name))) Sys.getenv(name)
  token <- set("SLACK_TOKEN")
  parameter <- set("SLACK_TOKEN_PARAMETER")
  if (is.null(token) && !is.null(parameter)) {
    token <- secret_parameter(parameter)
  }
  webhook <- set("SLACK_WEBHOOK_URL")
  if (is.null(token) && is.null(webhook)) {
    slack_error(
      "Slack is not set up: set SLACK_WEBHOOK_URL, or SLACK_CHANNEL with SLACK_TOKEN or ",
      "SLACK_TOKEN_PARAMETER"
    )
  }
  if (!is.null(token) && is.null(set("SLACK_CHANNEL"))) {
    slack_error("SLACK_CHANNEL is not set: a token does not say where to post")
  }
  list(
    token = token, webhook = webhook, channel = set("SLACK_CHANNEL"),
    url = sub("/+$", "", set("SLACK_URL") %||% "https://slack.com/api"),
    username = set("SLACK_USERNAME"), icon_emoji = set("SLACK_ICON_EMOJI")
  )
}

#' Post a text, and images (paths of files) after it; with `dry_run`, print them
announce <- function(text, images = character(), dry_run = FALSE) {
  if (dry_run) {
    writeLines(c("would post:", text, sprintf("with the image %s", basename(images))))
    return(invisible())
  }
  slack_post(slack_settings(), text, images)
  logger::log_info("posted to Slack:", gsub("\n", " / ", text))
}

#' Post a text and images to where the settings say
slack_post <- function(settings, text, images = character()) {
  if (is.null(settings$token)) {
    if (length(images) > 0) {
      text <- paste0(
        text, "\n(Without the chart: a webhook cannot carry images, but a bot's token can.)"
      )
    }
    return(slack_webhook(settings, text))
  }
  message <- slack_message(settings, text)
  posted <- slack_call(settings, "chat.postMessage", message, "json")
  if (length(images) > 0) {
    tryCatch(
      # Files are shared by the channel's id, which Slack tells where it was given a name.
      slack_upload(settings, images, posted$channel %||% settings$channel),
      slack_error = function(e) {
        slack_error("the text was posted, but not its chart: ", conditionMessage(e))
      }
    )
  }
  invisible(posted)
}

#' The body of a message
slack_message <- function(settings, text) {
  message <- list(
    channel = settings$channel, text = text,
    username = settings$username, icon_emoji = settings$icon_emoji
  )
  Filter(Negate(is.null), message)
}

#' Upload images and share them together
slack_upload <- function(settings, images, channel) {
  files <- lapply(images, function(image) {
    size <- file.size(image)
    place <- slack_call(
      settings, "files.getUploadURLExternal",
      list(filename = basename(image), length = format(size, scientific = FALSE)), "form"
    )
    response <- slack_request(settings, place$upload_url,
      body = readBin(image, "raw", size), httr::content_type("application/octet-stream")
    )
    if (httr::status_code(response) != 200) {
      slack_error("Slack refused the bytes of ", basename(image), ": ", slack_status(response))
    }
    list(id = place$file_id, title = basename(image))
  })
  slack_call(
    settings, "files.completeUploadExternal", list(files = files, channel_id = channel), "json"
  )
}

#' Call a method of Slack's Web API
slack_call <- function(settings, method, body, encode) {
  response <- slack_request(settings, paste0(settings$url, "/", method),
    body = body, encode = encode,
    httr::add_headers(Authorization = paste("Bearer", settings$token))
  )
  answer <- tryCatch(
    jsonlite::fromJSON(httr::content(response, "text", encoding = "UTF-8")),
    error = function(e) NULL
  )
  if (!is.list(answer) || is.null(answer$ok)) {
    slack_error("Slack did not do ", method, ": ", slack_status(response))
  }
  if (!isTRUE(answer$ok)) {
    cause <- answer$error %||% slack_status(response)
    slack_error("Slack refused ", method, ": ", cause, slack_advice(cause, answer, settings))
  }
  answer
}

#' Post to a webhook, which says what it refuses in plain text
slack_webhook <- function(settings, text) {
  response <- slack_request(settings, settings$webhook, body = list(text = text), encode = "json")
  if (httr::status_code(response) != 200) {
    cause <- httr::content(response, "text", encoding = "UTF-8")
    if (!grepl("^[a-z_]+$", cause)) cause <- slack_status(response)
    slack_error("Slack refused the webhook's message: ", cause)
  }
  invisible(response)
}

#' One POST; what fails on the way is told without the secrets
slack_request <- function(settings, url, ...) {
  tryCatch(
    httr::POST(url, ..., httr::timeout(20)),
    error = function(e) {
      message <- conditionMessage(e)
      for (secret in c(settings$token, settings$webhook)) {
        message <- gsub(secret, "***", message, fixed = TRUE)
      }
      slack_error("Slack cannot be reached: ", message)
    }
  )
}

#' What an HTTP status says, where there is nothing better
slack_status <- function(response) {
  wait <- httr::headers(response)[["retry-after"]]
  paste0(
    "HTTP ", httr::status_code(response),
    if (!is.null(wait)) paste0(", too many messages: try again in ", wait, " s")
  )
}

#' What to do about a cause, in parentheses
slack_advice <- function(cause, answer, settings) {
  advice <- switch(cause,
    invalid_auth = ,
    not_authed = ,
    account_inactive = ,
    token_revoked = ,
    token_expired = "the token is not valid (any more): look at SLACK_TOKEN",
    channel_not_found = paste0(
      "no channel `", settings$channel, "` that the bot may see: look at SLACK_CHANNEL"
    ),
    not_in_channel = paste0("invite the bot to `", settings$channel, "`"),
    missing_scope = paste0("give the app the scope ", answer$needed %||% "that it lacks")
  )
  if (is.null(advice)) "" else paste0(" (", advice, ")")
}

#' Stop because of Slack
slack_error <- function(...) {
  stop(structure(
    class = c("slack_error", "error", "condition"),
    list(message = paste0(...), call = NULL)
  ))
}
