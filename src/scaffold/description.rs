//! Reads `DESCRIPTION`: the packages that an R project says it needs.
//! <https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file>

use std::collections::BTreeMap;

use super::app::Origin;
use super::packages::{Listed, is_name, is_repository, plain};

/// Fields that name packages which are needed to run.
const NEEDED: [&str; 3] = ["Depends", "Imports", "LinkingTo"];

/// What `text` lists.
pub(super) fn read(text: &str) -> Listed {
    let fields = fields(text);
    let items = |field: &str| {
        let value = fields.get(field).cloned().unwrap_or_default();
        let items = value.split(',').map(|it| it.trim().to_owned());
        items.filter(|it| !it.is_empty()).collect::<Vec<_>>()
    };
    let mut listed = Listed {
        own: fields.get("Package").map(|it| it.trim().to_owned()),
        ..Listed::default()
    };
    for item in NEEDED.into_iter().flat_map(items) {
        let name = item.split([' ', '(']).next().unwrap_or_default();
        if is_name(name) {
            listed.packages.insert(name.to_owned(), plain(name));
        }
    }
    for item in items("Remotes") {
        let (name, origin) = remote(&item);
        if is_name(&name) {
            let mut package = plain(&name);
            package.origin = origin;
            listed.packages.insert(name, package);
        }
    }
    listed
}

/// The fields; a line that begins with a space goes on with the one before.
fn fields(text: &str) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut field = String::new();
    for line in text.lines() {
        let goes_on = line.starts_with([' ', '\t']);
        let (name, value) = match line.split_once(':') {
            Some((name, value)) if !goes_on => (name.trim().to_owned(), value),
            _ => (field, line),
        };
        field = name;
        let whole: &mut String = fields.entry(field.clone()).or_default();
        whole.push(' ');
        whole.push_str(value);
    }
    fields
}

/// `name=github::owner/repository@commit`, of which only the repository must be given.
fn remote(item: &str) -> (String, Origin) {
    let (given, place) = match item.split_once('=') {
        Some((name, place)) => (Some(name.trim()), place.trim()),
        None => (None, item),
    };
    let (kind, repository) = place.split_once("::").unwrap_or(("github", place));
    let own_name = || {
        let path = repository.split(['@', '#']).next().unwrap_or_default();
        path.split('/').nth(1).unwrap_or(path)
    };
    let name = given.unwrap_or_else(own_name).to_owned();
    let known = kind == "github" && is_repository(repository);
    let origin = match (kind, known) {
        (_, true) => Origin::GitHub(repository.to_owned()),
        ("bioc", _) => Origin::Bioconductor,
        _ => Origin::Elsewhere(place.to_owned()),
    };
    (name, origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_packages_and_remotes_are_read() {
        let text = "Package: prices\nVersion: 0.1\nDepends: R (>= 4.1)\nImports:\n    data.table (>= 1.14),\n\
            \tglue, botor\nLinkingTo: Rcpp\nSuggests: testthat\nRemotes: daroczig/botor@v1,\n  \
            own=github::a/b/sub, gitlab::x/yy, bioc::limma, url::https://example.com/pkg.tar.gz\n";
        let listed = read(text);
        assert_eq!(listed.own.as_deref(), Some("prices"));
        let names: Vec<_> = listed.packages.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["Rcpp", "botor", "data.table", "glue", "limma", "own", "yy"]
        );
        let origin = |name: &str| listed.packages[name].origin.clone();
        assert_eq!(
            origin("botor"),
            Origin::GitHub("daroczig/botor@v1".to_owned())
        );
        assert_eq!(origin("own"), Origin::GitHub("a/b/sub".to_owned()));
        assert_eq!(origin("yy"), Origin::Elsewhere("gitlab::x/yy".to_owned()));
        assert_eq!(origin("limma"), Origin::Bioconductor);
    }
}
