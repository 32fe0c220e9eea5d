library(testthat)
