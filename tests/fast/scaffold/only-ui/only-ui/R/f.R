f <- function() 1
