//! The templates and setups that are part of the program.

use std::path::Path;

use include_dir::{Dir, File, include_dir};

use crate::playbook::Bundled;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");
static SETUPS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/playbooks/setups");

/// What a playbook finds in the program.
pub const BUNDLED: Bundled = Bundled { file, setups };

/// The bytes of a bundled file: a template such as `nginx/site.conf.j2`, or a setup such as
/// `setups/redis.yml`.
fn file(path: &Path) -> Option<&'static [u8]> {
    let found = match path.strip_prefix("setups") {
        Ok(name) => SETUPS.get_file(name),
        Err(_) => TEMPLATES.get_file(path),
    };
    found.map(File::contents)
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
