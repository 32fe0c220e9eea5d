//! Which R packages an app needs, and where from: `renv.lock`, else `DESCRIPTION`, else what the
//! code uses. What the code uses beyond the two is added, and told.

use std::collections::BTreeMap;

use super::app::{Origin, Package, Place};
use super::folder::Folder;
use super::{description, renv};
use crate::base::Result;

/// Packages that R itself has.
const BASE: [&str; 15] = [
    "R",
    "base",
    "compiler",
    "datasets",
    "grDevices",
    "graphics",
    "grid",
    "methods",
    "parallel",
    "splines",
    "stats",
    "stats4",
    "tcltk",
    "tools",
    "utils",
];

/// The packages of a folder.
#[derive(Default)]
pub(super) struct Packages {
    pub(super) from: String,
    pub(super) list: Vec<Package>,
    /// All that the list has, also those that come along with others.
    pub(super) locked: Vec<String>,
    pub(super) r_version: Option<String>,
    pub(super) notes: Vec<String>,
}

/// What a file that lists packages says.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) packages: BTreeMap<String, Package>,
    /// Packages that others of the list need, so that they come along.
    pub(super) needed: Vec<String>,
    /// The package that the folder itself is.
    pub(super) own: Option<String>,
    pub(super) r_version: Option<String>,
}

/// The packages that `folder` needs, with those that its command needs.
pub(super) fn packages(folder: &Folder, command: &[String]) -> Result<Packages> {
    let mut used: BTreeMap<String, Place> = BTreeMap::new();
    for code in &folder.code {
        for named in code.packages() {
            let place = Place::new(&code.path, named.line);
            used.entry(named.name).or_insert(place);
        }
        if !code.is_script() {
            used.entry("rmarkdown".to_owned())
                .or_insert(Place::new(&code.path, 0));
        }
    }
    used.retain(|name, _| is_name(name) && !is_base(name));
    let (from, listed) = if let Some(text) = folder.text("renv.lock")? {
        ("renv.lock", renv::read(&folder.path, &text)?)
    } else if let Some(text) = folder.text("DESCRIPTION")? {
        ("DESCRIPTION", description::read(&text))
    } else {
        ("the code", Listed::default())
    };
    if let Some(own) = &listed.own {
        used.remove(own);
    }
    let mut notes = Vec::new();
    let mut list = listed.packages;
    let all = list.keys().cloned().collect();
    let direct = |name: &String| used.contains_key(name) || command.contains(name);
    list.retain(|name, package| {
        let comes_along = listed.needed.contains(name) && package.origin == Origin::Cran;
        !is_base(name) && name != "renv" && (direct(name) || !comes_along)
    });
    let locked = from != "the code";
    let told = used.iter().map(|(name, at)| (name, at.to_string()));
    let told: Vec<_> = told
        .chain(command.iter().map(|it| (it, "the command".to_owned())))
        .collect();
    for (name, by) in told {
        if list.contains_key(name) {
            continue;
        }
        if locked {
            notes.push(format!(
                "`{name}` is used by {by}, but {from} does not have it: its current version is installed, too"
            ));
        }
        list.insert(name.clone(), plain(name));
    }
    Ok(Packages {
        from: from.to_owned(),
        list: sorted(list),
        locked: all,
        r_version: listed.r_version,
        notes,
    })
}

/// A package of CRAN, of whatever version.
pub(super) fn plain(name: &str) -> Package {
    Package {
        name: name.to_owned(),
        version: None,
        origin: Origin::Cran,
    }
}

/// As people read lists of names: capitals do not come first.
fn sorted(packages: BTreeMap<String, Package>) -> Vec<Package> {
    let mut list: Vec<_> = packages.into_values().collect();
    list.sort_by_key(|it| it.name.to_lowercase());
    list
}

/// Whether R itself has it.
pub(super) fn is_base(name: &str) -> bool {
    BASE.contains(&name)
}

/// Whether a package can have this name: letters, digits and dots, at least two of them.
/// <https://cran.r-project.org/doc/manuals/r-release/R-exts.html#The-DESCRIPTION-file>
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.';
    name.len() >= 2 && name.chars().all(fits) && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a repository on GitHub can be written so: `owner/name/folder@commit`.
pub(super) fn is_repository(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-/@#*".contains(c);
    text.contains('/') && text.chars().all(fits)
}
