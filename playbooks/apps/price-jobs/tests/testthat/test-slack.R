ok <- '200 {"ok":true}'
secret <- "xoxb-open-sesame"
settings <- function(slack, ...) {
  modifyList(list(token = secret, channel = "#bots", url = slack$url), list(...))
}
body_of <- function(request) jsonlite::fromJSON(request$body, simplifyVector = FALSE)

an_image <- function(env = parent.frame()) {
  path <- withr::local_tempfile(fileext = ".png", .local_envir = env)
  writeBin(as.raw(c(137, 80, 78, 71, 0, 1, 2)), path)
  path
}

test_that("a message is posted with the token in the header, and nowhere else", {
  slack <- start_slack(list("/chat.postMessage" = ok))
  slack_post(settings(slack, username = "prices", icon_emoji = ":coin:"), "Łódź\n\"{x}\"")
  sent <- slack$requests()
  expect_length(sent, 1)
  expect_identical(sent[[1]]$authorization, paste("Bearer", secret))
  expect_match(sent[[1]]$type, "application/json")
  expect_identical(body_of(sent[[1]]), list(
    channel = "#bots", text = "Łódź\n\"{x}\"", username = "prices", icon_emoji = ":coin:"
  ))
})

test_that("images are announced, sent as bytes, and shared by the channel's id", {
  image <- an_image()
  slack <- start_slack(list(
    "/chat.postMessage" = '200 {"ok":true,"channel":"C123"}',
    "/files.getUploadURLExternal" = '200 {"ok":true,"upload_url":"SELF/up","file_id":"F1"}',
    "/up" = "200 OK - 7",
    "/files.completeUploadExternal" = ok
  ))
  slack_post(settings(slack), "text", c(image, image))
  sent <- slack$requests()
  expect_identical(
    vapply(sent, function(request) request$path, ""),
    c(
      "/chat.postMessage", rep(c("/files.getUploadURLExternal", "/up"), 2),
      "/files.completeUploadExternal"
    )
  )
  expect_identical(sent[[2]]$body, sprintf("filename=%s&length=7", basename(image)))
  expect_identical(sent[[3]]$bytes, 7L)
  # The place to upload to is not the API: the token is not for it.
  expect_null(sent[[3]]$authorization)
  file <- list(id = "F1", title = basename(image))
  expect_identical(body_of(sent[[6]]), list(files = list(file, file), channel_id = "C123"))
})

test_that("a webhook gets the text, and word of the missing chart", {
  slack <- start_slack(list("/hook" = "200 ok"))
  settings <- list(webhook = paste0(slack$url, "/hook"))
  slack_post(settings, "text")
  slack_post(settings, "text", an_image())
  sent <- lapply(slack$requests(), body_of)
  expect_identical(sent[[1]], list(text = "text"))
  expect_match(sent[[2]]$text, "^text\n.*a webhook cannot carry images")
})

test_that("what Slack refuses is told with its cause and what to do", {
  cases <- list(
    c('200 {"ok":false,"error":"invalid_auth"}', "invalid_auth (the token is not valid"),
    c('200 {"ok":false,"error":"channel_not_found"}', "channel_not_found (no channel `#bots`"),
    c('200 {"ok":false,"error":"not_in_channel"}', "not_in_channel (invite the bot to `#bots`"),
    c(
      '200 {"ok":false,"error":"missing_scope","needed":"chat:write"}',
      "missing_scope (give the app the scope chat:write)"
    ),
    c('200 {"ok":false,"error":"fatal_error"}', "refused chat.postMessage: fatal_error"),
    c('429 {"ok":false,"error":"ratelimited"}', "refused chat.postMessage: ratelimited"),
    c("429 slow down", "HTTP 429, too many messages: try again in 30 s"),
    c("502 <html>", "did not do chat.postMessage: HTTP 502")
  )
  paths <- paste0("/", seq_along(cases), "/chat.postMessage")
  slack <- start_slack(setNames(lapply(cases, `[`, 1), paths))
  for (i in seq_along(cases)) {
    settings <- settings(slack, url = paste0(slack$url, "/", i))
    error <- expect_error(slack_post(settings, "text"), class = "slack_error")
    expect_match(conditionMessage(error), cases[[i]][2], fixed = TRUE)
    expect_no_match(conditionMessage(error), secret, fixed = TRUE)
  }
})

test_that("a text whose chart fails is told as that", {
  slack <- start_slack(list(
    "/chat.postMessage" = ok,
    "/files.getUploadURLExternal" = '200 {"ok":true,"upload_url":"SELF/up","file_id":"F1"}',
    "/up" = "500 no"
  ))
  expect_error(
    slack_post(settings(slack), "text", an_image()),
    "the text was posted, but not its chart: Slack refused the bytes of .*HTTP 500"
  )
})

test_that("a webhook's refusal is told, its address is not", {
  slack <- start_slack(list("/secret/one" = "404 no_service", "/secret/two" = "500 <html>"))
  refused <- function(url, message) {
    error <- expect_error(slack_post(list(webhook = url), "text"), class = "slack_error")
    expect_match(conditionMessage(error), message)
    expect_no_match(conditionMessage(error), "secret")
  }
  refused(paste0(slack$url, "/secret/one"), "refused the webhook's message: no_service")
  refused(paste0(slack$url, "/secret/two"), "refused the webhook's message: HTTP 500")
  refused("http://127.0.0.1:1/secret", "Slack cannot be reached")
  refused("nonsense://secret", "Slack cannot be reached")
  refused("secret", "Slack cannot be reached")
})

test_that("settings come from the environment, and the token wins", {
  none <- c(
    SLACK_TOKEN = NA, SLACK_TOKEN_PARAMETER = NA, SLACK_WEBHOOK_URL = NA, SLACK_CHANNEL = NA,
    SLACK_URL = NA, SLACK_USERNAME = NA, SLACK_ICON_EMOJI = NA
  )
  with <- function(...) withr::with_envvar(replace(none, names(c(...)), c(...)), slack_settings())
  expect_error(with(), "Slack is not set up: set SLACK_WEBHOOK_URL")
  expect_error(with(SLACK_TOKEN = "x"), "SLACK_CHANNEL is not set")
  expect_identical(with(SLACK_WEBHOOK_URL = "http://h")$webhook, "http://h")
  both <- with(SLACK_TOKEN = "x", SLACK_CHANNEL = "#c", SLACK_WEBHOOK_URL = "http://h")
  expect_identical(both[c("token", "channel", "url")], list(
    token = "x", channel = "#c", url = "https://slack.com/api"
  ))
})

test_that("a dry run prints the message and the images, and needs no Slack", {
  out <- capture.output(announce("text {x}", c("/tmp/btc.png", "/tmp/eth.png"), dry_run = TRUE))
  expect_identical(
    out, c("would post:", "text {x}", "with the image btc.png", "with the image eth.png")
  )
  expect_identical(capture.output(announce("text", dry_run = TRUE)), c("would post:", "text"))
})
