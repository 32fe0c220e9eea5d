//! The templates, setups, playbooks and apps that are part of the program.

use std::path::Path;

use include_dir::{Dir, File, include_dir};

use crate::playbook::Bundled;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static SETUPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks/setups");
static APPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks/apps");

/// A bundled playbook.
pub struct Ready {
    /// Its name: the file's, without suffix.
    pub name: &'static str,
    /// What it stands up.
    pub about: &'static str,
    /// The apps that it needs beside it.
    pub apps: &'static [&'static str],
    /// Its text.
    pub text: &'static str,
}

/// The bundled playbooks.
pub const PLAYBOOKS: [Ready; 3] = [
    Ready {
        name: "data-server",
        about: "a shared server with R, RStudio, Shiny, Jenkins and a login for each of a team",
        apps: &[],
        text: include_str!("../../playbooks/data-server.yml"),
    },
    Ready {
        name: "btc-api",
        about: "an API in R on ECS, behind a load balancer",
        apps: &["btc-report-api"],
        text: include_str!("../../playbooks/btc-api.yml"),
    },
    Ready {
        name: "crypto-stream",
        about: "a live stream of trades, counted in Redis and shown on a dashboard",
        apps: &["trade-streamer", "trade-counter", "treemap"],
        text: include_str!("../../playbooks/crypto-stream.yml"),
    },
];

/// What a playbook finds in the program.
pub const BUNDLED: Bundled = Bundled {
    file,
    folder,
    setups,
};

/// The bytes of a bundled file: a template such as `nginx/site.conf.j2`, a setup such as
/// `setups/redis.yml`, or a file of an app such as `apps/treemap/app.R`.
fn file(path: &Path) -> Option<&'static [u8]> {
    let found = if let Ok(name) = path.strip_prefix("setups") {
        SETUPS.get_file(name)
    } else if let Ok(name) = path.strip_prefix("apps") {
        APPS.get_file(name)
    } else {
        TEMPLATES.get_file(path)
    };
    found.map(File::contents)
}

/// The files in a bundled folder such as `apps/treemap`, at any depth, hidden ones too.
fn folder(path: &Path) -> Option<Vec<&'static Path>> {
    let name = path.strip_prefix("apps").ok()?;
    let folder = APPS.get_dir(name)?;
    let mut found = Vec::new();
    files_into(folder, &mut found);
    Some(
        found
            .into_iter()
            .filter_map(|it| it.strip_prefix(name).ok())
            .collect(),
    )
}

fn files_into(folder: &'static Dir<'_>, found: &mut Vec<&'static Path>) {
    found.extend(folder.files().map(File::path));
    for inner in folder.dirs() {
        files_into(inner, found);
    }
}

/// The bundled apps, by name.
pub fn apps() -> impl Iterator<Item = &'static str> {
    APPS.dirs().filter_map(|it| it.path().to_str())
}

/// The files of a bundled app: their paths from its folder on, and what is in them.
#[must_use]
pub fn app_files(app: &str) -> Vec<(&'static Path, &'static [u8])> {
    let folder = Path::new("apps").join(app);
    let paths = self::folder(&folder).unwrap_or_default().into_iter();
    let files = paths.filter_map(|path| Some((path, file(&folder.join(path))?)));
    files.collect()
}

/// The bundled setups: where each is, and its text.
pub fn setup_files() -> impl Iterator<Item = (&'static Path, &'static [u8])> {
    SETUPS.files().map(|it| (it.path(), it.contents()))
}

/// The names of the bundled setups.
#[must_use]
pub fn setups() -> Vec<&'static str> {
    let names = SETUPS
        .files()
        .filter_map(|it| it.path().file_name()?.to_str());
    names.filter_map(|name| name.strip_suffix(".yml")).collect()
}
