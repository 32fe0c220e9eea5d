//! Reads `renv.lock`: the exact versions of R and its packages, and where each is from.
//! <https://rstudio.github.io/renv/articles/lockfile.html>

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value as Json;

use super::app::{Origin, Package};
use super::packages::{Listed, is_name, is_repository};
use crate::base::{Error, Location, Result, Source};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lockfile {
    r: Option<R>,
    #[serde(default)]
    packages: BTreeMap<String, Locked>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct R {
    version: Option<String>,
}

/// A package; `Requirements` is of renv before 1.1, the others are of its `DESCRIPTION`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Locked {
    version: Option<String>,
    source: Option<String>,
    remote_type: Option<String>,
    remote_username: Option<String>,
    remote_repo: Option<String>,
    remote_subdir: Option<String>,
    remote_ref: Option<String>,
    remote_sha: Option<String>,
    #[serde(default)]
    requirements: Json,
    #[serde(default)]
    depends: Json,
    #[serde(default)]
    imports: Json,
    #[serde(default)]
    linking_to: Json,
}

/// What the lockfile in `folder` lists.
pub(super) fn read(folder: &Path, text: &str) -> Result<Listed> {
    let lockfile: Lockfile = serde_json::from_str(text).map_err(|cause| {
        let source = Source::new(folder.join("renv.lock"), text);
        let at = Location::new(&source, cause.line(), cause.column().max(1));
        Error::usage(format!("this is no lockfile of renv: {cause}"))
            .at(&at)
            .hint("write it again by `renv::snapshot()`, or take it away")
    })?;
    let mut listed = Listed {
        r_version: lockfile
            .r
            .and_then(|it| it.version)
            .filter(|it| is_version(it)),
        ..Listed::default()
    };
    for (name, locked) in lockfile.packages {
        if is_name(&name) {
            listed.needed.extend(locked.needs());
            let package = Package {
                origin: locked.origin(),
                version: locked.version.filter(|it| is_version(it)),
                name: name.clone(),
            };
            listed.packages.insert(name, package);
        }
    }
    Ok(listed)
}

impl Locked {
    fn origin(&self) -> Origin {
        let source = self.source.as_deref().unwrap_or("Repository");
        match self
            .remote_type
            .as_deref()
            .filter(|_| source != "Repository")
        {
            Some("github") => self.github(),
            _ if source == "GitHub" => self.github(),
            _ if source == "Bioconductor" => Origin::Bioconductor,
            // Newer ones name the repository itself: `CRAN`, `P3M`.
            _ if matches!(source, "Repository" | "CRAN" | "RSPM" | "P3M") => Origin::Cran,
            _ => Origin::Elsewhere(source.to_owned()),
        }
    }

    fn github(&self) -> Origin {
        let (Some(user), Some(name)) = (&self.remote_username, &self.remote_repo) else {
            return Origin::Elsewhere("a repository on GitHub that is not named".to_owned());
        };
        let folder = self
            .remote_subdir
            .as_ref()
            .map(|it| format!("/{it}"))
            .unwrap_or_default();
        let commit = self.remote_sha.as_ref().or(self.remote_ref.as_ref());
        let commit = commit.map(|it| format!("@{it}")).unwrap_or_default();
        let repository = format!("{user}/{name}{folder}{commit}");
        if is_repository(&repository) {
            Origin::GitHub(repository)
        } else {
            Origin::Elsewhere(repository)
        }
    }

    /// The packages that it needs, from texts such as `R (>= 3.5)`.
    fn needs(&self) -> Vec<String> {
        let lists = [
            &self.requirements,
            &self.depends,
            &self.imports,
            &self.linking_to,
        ];
        let texts = lists.into_iter().filter_map(Json::as_array).flatten();
        let names = texts.filter_map(|it| Some(it.as_str()?.split([' ', '(']).next()?.to_owned()));
        names.collect()
    }
}

fn is_version(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    !text.is_empty() && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_needs_are_read() {
        let text = r#"{ "R": { "Version": "4.2.2" }, "Packages": {
            "httr": { "Package": "httr", "Version": "1.4.5", "Source": "Repository", "Repository": "RSPM",
                "Requirements": ["R", "curl"] },
            "glue": { "Version": "1.6.2", "Source": "Repository", "Imports": ["methods", "curl (>= 5.0)"] },
            "limma": { "Version": "3.54.0", "Source": "Bioconductor" },
            "botor": { "Version": "0.4.0", "Source": "GitHub", "RemoteType": "github",
                "RemoteUsername": "daroczig", "RemoteRepo": "botor", "RemoteRef": "master", "RemoteSha": "0a1b2c" },
            "bad": { "Source": "GitHub", "RemoteUsername": "a'); b", "RemoteRepo": "c" },
            "mine": { "Source": "Local" }, "no name": {}, "x": {}
        } }"#;
        let listed = read(Path::new("x"), text).unwrap();
        assert_eq!(listed.r_version.as_deref(), Some("4.2.2"));
        assert_eq!(listed.needed, ["methods", "curl", "R", "curl"]);
        let origin = |name: &str| listed.packages[name].origin.clone();
        assert_eq!(origin("httr"), Origin::Cran);
        assert_eq!(origin("limma"), Origin::Bioconductor);
        assert_eq!(
            origin("botor"),
            Origin::GitHub("daroczig/botor@0a1b2c".to_owned())
        );
        assert!(matches!(origin("bad"), Origin::Elsewhere(_)));
        assert_eq!(origin("mine"), Origin::Elsewhere("Local".to_owned()));
        assert_eq!(listed.packages.len(), 6);
    }

    #[test]
    fn what_is_no_lockfile_is_told_with_its_line() {
        let error = read(Path::new("x"), "{\n  \"R\": [\n").err().unwrap();
        assert_eq!(error.location().map(|it| it.line), Some(3));
        assert!(
            error.message().starts_with("this is no lockfile of renv"),
            "{error}"
        );
    }
}
