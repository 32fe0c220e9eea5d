#!/usr/bin/env Rscript
source("R/exchange.R")
redis <- Sys.getenv("REDIS_URL", "redis://127.0.0.1:6379")
channel <- Sys.getenv("SLACK_CHANNEL")
token <- Sys.getenv(c("SLACK_TOKEN", "SLACK_WEBHOOK_URL"))
parameter <- Sys.getenv("SLACK_TOKEN_PARAMETER")
logger::log_info("{Sys.getenv('HOME')}")
