# A folder with programs of these names, which say these lines to the shell.
programs <- function(..., env = parent.frame()) {
  folder <- withr::local_tempdir(.local_envir = env)
  lines <- list(...)
  for (name in names(lines)) {
    path <- file.path(folder, name)
    writeLines(c("#!/bin/sh", lines[[name]]), path)
    Sys.chmod(path, "0755")
  }
  folder
}
# Only these programs, and the shell.
with_path <- function(folder, code) withr::with_envvar(c(PATH = folder), code)

test_that("the AWS CLI is asked first, and decrypts", {
  folder <- programs(aws = 'echo "aws $*"', tidewalk = "echo tidewalk")
  expect_identical(
    with_path(folder, secret_parameter("/de3/slack")),
    paste(
      "aws ssm get-parameter --with-decryption --name /de3/slack",
      "--query Parameter.Value --output text"
    )
  )
})

test_that("tidewalk is asked where there is no AWS CLI", {
  folder <- programs(tidewalk = 'echo "tidewalk $*"')
  expect_identical(with_path(folder, secret_parameter("slack")), "tidewalk secret get slack")
})

test_that("what went wrong is told plainly", {
  expect_error(
    with_path(programs(), secret_parameter("slack")),
    "neither `aws` nor `tidewalk` is installed"
  )
  # What it printed before it failed is no secret.
  folder <- programs(aws = "echo half; echo 'An error occurred (ParameterNotFound)' >&2; exit 254")
  expect_error(
    with_path(folder, secret_parameter("slack")),
    "`aws` cannot read the parameter `slack`: An error occurred (ParameterNotFound)",
    fixed = TRUE
  )
  expect_error(with_path(folder, secret_parameter("x; rm")), "is no name of a parameter")
  expect_error(with_path(folder, secret_parameter("--help")), "is no name of a parameter")
})
