//! What a Dockerfile runs to install the packages.

use serde::Serialize;

use super::app::{App, Origin};
use super::libraries;

/// A package that is not installed.
#[derive(Serialize)]
pub(super) struct Missing<'a> {
    name: &'a str,
    origin: &'a str,
}

/// What is installed by apt, in order.
pub(super) fn apt(app: &App, exact: bool) -> Vec<String> {
    if exact {
        let names = app.packages.iter().map(|it| it.name.as_str());
        let mut list = libraries::of(names.chain(app.locked.iter().map(String::as_str)));
        list.extend(["build-essential", "ca-certificates"].map(str::to_owned));
        list.sort();
        return list;
    }
    let lower = |prefix: &str, name: &str| format!("{prefix}{}", name.to_lowercase());
    let mut list = app.programs.clone();
    for package in &app.packages {
        match &package.origin {
            Origin::Cran => list.push(lower("r-cran-", &package.name)),
            Origin::Bioconductor => list.push(lower("r-bioc-", &package.name)),
            Origin::GitHub(_) => {
                // What they have in C or C++ is compiled.
                let needed = ["ca-certificates", "r-base-dev", "r-cran-remotes"];
                list.extend(needed.map(str::to_owned));
            }
            Origin::Elsewhere(_) => {}
        }
    }
    if list.is_empty() {
        list.push("r-base-core".to_owned());
    }
    list.sort();
    list.dedup();
    list
}

/// The call that installs what is on GitHub.
pub(super) fn github(app: &App) -> Option<String> {
    let repositories = app.packages.iter().filter_map(|it| match &it.origin {
        Origin::GitHub(repository) => Some(format!("'{repository}'")),
        _ => None,
    });
    let list = repositories.collect::<Vec<_>>().join(", ");
    let call = format!("remotes::install_github(c({list}), upgrade = 'never')");
    (!list.is_empty()).then(|| words(&["Rscript", "-e", &call]))
}

/// The call that installs what the code uses and `renv.lock` does not have.
pub(super) fn beyond(app: &App) -> Option<String> {
    let missing = app
        .packages
        .iter()
        .filter(|it| !app.locked.contains(&it.name));
    let list = missing
        .map(|it| format!("'{}'", it.name))
        .collect::<Vec<_>>()
        .join(", ");
    let call = format!("install.packages(c({list}))");
    (!list.is_empty()).then(|| words(&["Rscript", "-e", &call]))
}

/// What nothing here can install.
pub(super) fn elsewhere(app: &App) -> Vec<Missing<'_>> {
    let missing = app.packages.iter().filter_map(|it| match &it.origin {
        Origin::Elsewhere(origin) => Some(Missing {
            name: &it.name,
            origin,
        }),
        _ => None,
    });
    missing.collect()
}

/// A command as a Dockerfile runs it without a shell: a list in JSON.
pub(super) fn words<T: AsRef<str>>(words: &[T]) -> String {
    let words = words.iter().map(|it| quoted(it.as_ref()));
    format!("[{}]", words.collect::<Vec<_>>().join(", "))
}

/// In double quotes, as JSON and YAML read it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
