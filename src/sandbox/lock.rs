//! A lock between processes: a file, held while something is made that all of them share.

use std::fs::File;
use std::path::Path;

use crate::base::{Result, ResultExt};

/// Held until dropped; the system lets go when the process dies.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock at `path`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) async fn take(path: &Path) -> Result<Self> {
        let what = format!("locking `{}`", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).context(&what)?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .context(&what)?;
        let locked = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let file = locked.await.context(&what)?.context(&what)?;
        Ok(Self { _file: file })
    }
}
