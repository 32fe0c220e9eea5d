# What plumber cannot read from the routes: which values are allowed, and the errors.

#' A function that completes plumber's OpenAPI description of the service
describe_api <- function(parameters) {
  function(spec) {
    for (path in names(spec$paths)) {
      route <- spec$paths[[path]]$get
      route$parameters <- lapply(route$parameters, describe_parameter, parameters)
      route$responses <- c(route$responses["200"], failures(path, route$parameters))
      spec$paths[[path]]$get <- route
    }
    spec
  }
}

#' Add the meaning of a parameter and the values that are allowed
describe_parameter <- function(parameter, parameters) {
  known <- parameters[[parameter$name]]
  parameter$description <- known$description
  known$description <- NULL
  parameter$schema <- c(parameter$schema, known)
  parameter
}

#' Answers of a path that tell of a failure
failures <- function(path, parameters) {
  c(
    if (length(parameters) > 0L) {
      list("400" = list(description = "A parameter is wrong: `error` tells what is allowed"))
    },
    if (path != "/healthz") {
      list("503" = list(description = "The exchange does not answer: try after `Retry-After`"))
    }
  )
}
