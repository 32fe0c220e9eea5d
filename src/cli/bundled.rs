//! The templates and playbooks that are part of the program.

use std::path::Path;

use include_dir::{Dir, include_dir};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// The bytes of a bundled template, such as `nginx/site.conf.j2`.
#[must_use]
pub fn template(path: &Path) -> Option<&'static [u8]> {
    TEMPLATES.get_file(path).map(include_dir::File::contents)
}
