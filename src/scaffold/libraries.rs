//! Libraries of the system that R packages are compiled against and run with, by their names in
//! Debian and Ubuntu. <https://github.com/rstudio/r-system-requirements>

/// An R package, and what it needs.
const LIBRARIES: [(&str, &[&str]); 29] = [
    ("arrow", &["libcurl4-openssl-dev", "libssl-dev"]),
    ("Cairo", &["libcairo2-dev"]),
    ("curl", &["libcurl4-openssl-dev"]),
    ("gert", &["libgit2-dev"]),
    ("git2r", &["libgit2-dev"]),
    ("gmp", &["libgmp-dev"]),
    ("gsl", &["libgsl-dev"]),
    ("hdf5r", &["libhdf5-dev"]),
    ("httpuv", &["zlib1g-dev"]),
    ("igraph", &["libglpk-dev", "libxml2-dev"]),
    ("magick", &["libmagick++-dev"]),
    ("odbc", &["unixodbc-dev"]),
    ("openssl", &["libssl-dev"]),
    ("pdftools", &["libpoppler-cpp-dev"]),
    (
        "ragg",
        &[
            "libfreetype6-dev",
            "libjpeg-dev",
            "libpng-dev",
            "libtiff-dev",
        ],
    ),
    ("redux", &["libhiredis-dev"]),
    ("rJava", &["default-jdk"]),
    ("rmarkdown", &["pandoc"]),
    ("RMariaDB", &["libmariadb-dev"]),
    ("RPostgres", &["libpq-dev"]),
    ("RPostgreSQL", &["libpq-dev"]),
    ("rsvg", &["librsvg2-dev"]),
    (
        "sf",
        &[
            "libgdal-dev",
            "libgeos-dev",
            "libproj-dev",
            "libudunits2-dev",
        ],
    ),
    ("sodium", &["libsodium-dev"]),
    ("stringi", &["libicu-dev"]),
    ("systemfonts", &["libfontconfig1-dev", "libfreetype6-dev"]),
    ("textshaping", &["libfribidi-dev", "libharfbuzz-dev"]),
    ("V8", &["libnode-dev"]),
    ("xml2", &["libxml2-dev"]),
];

/// What `packages` need of the system, in order and each once.
pub(super) fn of<'a>(packages: impl Iterator<Item = &'a str>) -> Vec<String> {
    let needs = |name: &str| {
        let row = LIBRARIES.iter().find(|(package, _)| *package == name);
        row.map_or(&[] as &[&str], |(_, needs)| needs)
    };
    let mut all: Vec<_> = packages
        .flat_map(needs)
        .map(|it| (*it).to_owned())
        .collect();
    all.sort();
    all.dedup();
    all
}
