//! What a folder turned out to be.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// What is made of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// An HTTP API
    Api,
    /// A Shiny app: sessions that live in one process
    Shiny,
    /// A script that runs at set times
    Job,
    /// An image of one's own, of which nothing is known but its Dockerfile
    Container,
}

impl Form {
    /// A noun for messages, with its article.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Api => "an API",
            Self::Shiny => "a Shiny app",
            Self::Job => "a scheduled job",
            Self::Container => "a container of its own",
        }
    }
}

/// A place in the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path in the folder, with `/`.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
}

impl Place {
    /// A line of a file.
    pub(super) fn new(file: &str, line: usize) -> Self {
        let file = file.to_owned();
        Self { file, line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        Ok(())
    }
}

/// A fact that decided something, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The fact: `port 8000`.
    pub what: String,
    /// Where it was seen.
    pub at: Place,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.what)
    }
}

/// Where a package comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// CRAN, or a mirror or snapshot of it
    Cran,
    /// Bioconductor
    Bioconductor,
    /// A repository on GitHub: `owner/name`, with `@commit` where that is known
    GitHub(String),
    /// From where this program cannot install it, in words
    Elsewhere(String),
}

/// An R package that the code needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Package {
    /// Its name in R.
    pub name: String,
    /// Its exact version, where `renv.lock` says so.
    pub version: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}

/// An environment variable that the code reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What the code takes without it, where that is written there as it is.
    pub default: Option<String>,
    /// Where it is read first.
    pub at: Place,
    /// Its name sounds like a secret.
    pub secret: bool,
}

/// What a folder is, and all that its Dockerfile and playbook need to know.
#[derive(Clone, Debug, Serialize)]
pub struct App {
    /// The folder.
    pub folder: PathBuf,
    /// Name of the stack and all that is in it, from the folder's.
    pub name: String,
    /// What is made of it.
    pub form: Form,
    /// The file that was decisive: `plumber.R`.
    pub entry: String,
    /// What its container runs, in words; empty where a Dockerfile says it.
    pub command: Vec<String>,
    /// Port that it answers on, if it does.
    pub port: Option<u16>,
    /// Path that answers with 200 as long as it is well.
    pub health_path: String,
    /// The packages that are to be installed, ordered by name.
    pub packages: Vec<Package>,
    /// Names of all packages in `renv.lock`, also those that come along with others.
    pub locked: Vec<String>,
    /// Where the packages were read: `renv.lock`, `DESCRIPTION` or `the code`.
    pub packages_from: String,
    /// Version of R, where `renv.lock` says so.
    pub r_version: Option<String>,
    /// Programs beside R: packages of Debian and Ubuntu.
    pub programs: Vec<String>,
    /// Environment variables that the code reads, ordered by name.
    pub variables: Vec<Variable>,
    /// Why it was decided so, in the order in which it was.
    pub because: Vec<Evidence>,
    /// What somebody should know before going on.
    pub notes: Vec<String>,
    /// Which of the files that would be written are there already, and are kept.
    pub kept: Vec<String>,
}

impl App {
    /// Whether the folder has its own Dockerfile.
    #[must_use]
    pub fn has_dockerfile(&self) -> bool {
        self.kept.iter().any(|file| file == "Dockerfile")
    }
}
