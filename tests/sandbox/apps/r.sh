# Makes a sandbox host into one with R and the R packages of the APIs and jobs that tests run, on hosts and in
# containers; run as root, once.
set -eu
export DEBIAN_FRONTEND=noninteractive
# As in Debian's own images: what apt works with stays out of the layers.
cat >/etc/apt/apt.conf.d/docker-clean <<'APT'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/*.bin"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
    fonts-dejavu-core pandoc r-base-core r-cran-data.table r-cran-ggplot2 r-cran-httr r-cran-jsonlite \
    r-cran-logger r-cran-plumber r-cran-rmarkdown r-cran-scales tini >/dev/null
rm -rf /var/lib/apt/lists/*
