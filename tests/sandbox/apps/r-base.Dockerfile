# Debian with R and every R package that the data apps use, so that their own
# Dockerfiles build on it without a download: tidewalk/r-base:bookworm.
FROM debian:bookworm-slim

RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      ca-certificates \
      fonts-dejavu-core \
      pandoc \
      r-base-core \
      r-cran-checkmate \
      r-cran-data.table \
      r-cran-ggplot2 \
      r-cran-glue \
      r-cran-httr \
      r-cran-jsonlite \
      r-cran-logger \
      r-cran-plumber \
      r-cran-rmarkdown \
      r-cran-scales \
      r-cran-shiny \
      tini \
 && rm -rf /var/lib/apt/lists/*
