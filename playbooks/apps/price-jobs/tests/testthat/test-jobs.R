# The declaration of the jobs, and what the setup of tidewalk makes of it.
jobs <- yaml::read_yaml(file.path(app_folder, "jobs.yml"))
playbooks <- file.path(app_folder, "..", "..")

read_setup <- function() {
  file <- file.path(playbooks, "setups", "price-jobs.yml")
  skip_if_not(file.exists(file), "the app was copied without its setup")
  lapply(yaml::read_yaml(file)$vars, function(variable) variable$default)
}

test_that("each job has a name of its own, a script that runs, and a time", {
  names <- vapply(jobs, function(job) job$name, "")
  expect_identical(anyDuplicated(names), 0L)
  expect_match(names, "^[a-z][a-z0-9-]*$")
  for (job in jobs) {
    expect_identical(unname(file.access(file.path(app_folder, job$script), mode = 1)), 0L)
    expect_true(xor(is.null(job$every), is.null(job$at)))
    expect_true(all(vapply(job$arguments, is.character, TRUE)))
  }
})

test_that("each job's script takes its arguments", {
  # Nobody listens there: an argument that is not taken is told before that matters.
  env <- c(EXCHANGE_URL = "http://127.0.0.1:1", REDIS_URL = "redis://127.0.0.1:1")
  started <- lapply(jobs, function(job) start_script(job$script, unlist(job$arguments), env = env))
  for (run in lapply(started, ended)) {
    expect_identical(run$status, 1L, info = run$stderr)
    expect_match(run$stderr, "127.0.0.1")
  }
})

test_that("the setup knows each job's time", {
  schedules <- read_setup()$schedules
  for (job in jobs) {
    expect_true(!is.null(job$at) || job$every %in% names(schedules))
  }
})

# The numbers of 0 to `most` that a field of a cron expression means.
cron_field <- function(field, most) {
  step <- sub("^\\*/", "", field)
  if (field == "*") {
    0:most
  } else if (step != field) {
    seq(0, most, as.integer(step))
  } else {
    as.integer(field)
  }
}

# The times of day that a cron expression means.
cron_times <- function(cron) {
  fields <- strsplit(cron, " ")[[1]]
  stopifnot(length(fields) == 5, fields[3:5] == "*")
  times <- expand.grid(minute = cron_field(fields[1], 59), hour = cron_field(fields[2], 23))
  sprintf("%02d:%02d:00", times$hour, times$minute)
}

# The times of day that a calendar expression of systemd means, of so many times from midnight on.
calendar_times <- function(calendar, count) {
  out <- processx::run("systemd-analyze", c(
    "calendar", paste0("--iterations=", count), "--base-time=2026-01-01 23:59:59", calendar
  ), env = c("current", TZ = "UTC"))$stdout
  first_day <- "2026-01-02 ([0-9:]{8}) UTC"
  lines <- grep(first_day, strsplit(out, "\n")[[1]], value = TRUE)
  unique(sub(paste0("^.*", first_day, ".*$"), "\\1", lines))
}

test_that("systemd and Jenkins run a job at the same times of day", {
  skip_if(Sys.which("systemd-analyze") == "", "systemd is not installed")
  schedules <- read_setup()$schedules
  for (every in names(schedules)) {
    minutes <- as.integer(sub("[mh]$", "", every)) * if (grepl("h$", every)) 60 else 1
    times <- cron_times(schedules[[every]]$cron)
    expect_length(times, 1440 / minutes)
    # One more than a day has: the first one of the next day is left out.
    seen <- calendar_times(schedules[[every]]$calendar, length(times) + 1)
    expect_identical(seen, times, info = every)
  }
})

test_that("files shared with other apps are the same there", {
  apps <- file.path(playbooks, "apps")
  shared <- list(
    "btc-report-api" = c("exchange.R", "chart.R"), "trade-counter" = "redis.R"
  )
  skip_if_not(all(dir.exists(file.path(apps, names(shared)))), "the app was copied alone")
  for (app in names(shared)) {
    for (file in shared[[app]]) {
      expect_identical(
        readLines(file.path(app_folder, "R", file)), readLines(file.path(apps, app, "R", file)),
        info = file
      )
    }
  }
})
