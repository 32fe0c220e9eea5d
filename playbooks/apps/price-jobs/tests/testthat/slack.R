# A Slack for tests: Rscript slack.R PORT ANSWERS LOG
# ANSWERS is a JSON object of what to answer by path, such as {"/chat.postMessage": "200 {...}"};
# each request becomes a line of LOG.
words <- commandArgs(trailingOnly = TRUE)
answers <- jsonlite::fromJSON(words[2], simplifyVector = FALSE)

answer <- function(request) {
  body <- request$rook.input$read()
  line <- list(
    path = request$PATH_INFO, method = request$REQUEST_METHOD, type = request$HTTP_CONTENT_TYPE,
    authorization = request$HTTP_AUTHORIZATION, bytes = length(body),
    body = if (!any(body == 0)) rawToChar(body)
  )
  if (request$REQUEST_METHOD == "POST") {
    cat(jsonlite::toJSON(line, auto_unbox = TRUE, null = "null"), "\n",
      sep = "", file = words[3], append = TRUE
    )
  }
  said <- answers[[request$PATH_INFO]]
  if (is.null(said)) said <- "404 nothing here"
  headers <- list("Content-Type" = "text/plain")
  if (startsWith(said, "429")) headers[["Retry-After"]] <- "30"
  list(
    status = as.integer(substr(said, 1, 3)), headers = headers,
    body = substring(said, 5)
  )
}

httpuv::runServer("127.0.0.1", as.integer(words[1]), list(call = answer))
