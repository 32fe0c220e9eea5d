//! Compares whole texts with files under `tests/cases`; `TIDEWALK_ACCEPT=1` writes them anew.

use std::path::Path;

/// Fails with both texts when `actual` is not what the file says.
pub(crate) fn assert_matches(file: impl AsRef<Path>, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("TIDEWALK_ACCEPT").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(&path, actual).expect("the expected text is written");
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == actual,
        "{} says:\n{expected}\nbut it is:\n{actual}\nif that is right: TIDEWALK_ACCEPT=1 cargo test --test fast",
        path.display()
    );
}
