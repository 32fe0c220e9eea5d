# Rscript tests/testthat.R, from the folder of the app; exits non-zero if a test fails.

testthat::test_dir("tests/testthat", reporter = "check", stop_on_failure = TRUE)
