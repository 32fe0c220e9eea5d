//! A build's context: a folder as a tar that is the same on every machine, and its hash.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::ignored::Ignored;
use crate::base::{Error, Result, ResultExt};

/// The folder that runs of a playbook leave beside it.
const JOURNAL: &str = ".tidewalk";

/// A folder that is sent to the builder.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// The Dockerfile's path in it.
    dockerfile: String,
    ignored: Ignored,
}

/// What is sent.
#[derive(Debug)]
pub(super) struct Packed {
    /// The tar.
    pub(super) tar: Vec<u8>,
    /// Files and links in it.
    pub(super) files: usize,
}

impl Folder {
    /// Finds the Dockerfile and what is left out.
    ///
    /// # Errors
    /// What is missing, or cannot be read.
    pub(super) fn open(root: PathBuf, dockerfile: &str) -> Result<Self> {
        if !root.is_dir() {
            let text = format!("the context `{}` is not a folder", root.display());
            return Err(Error::failed(text).hint("paths start at the playbook's folder"));
        }
        if !root.join(dockerfile).is_file() {
            let text = format!("there is no `{dockerfile}` in `{}`", root.display());
            return Err(Error::failed(text)
                .hint("name another with `dockerfile`, or write one: `FROM` a base image, `COPY` the code"));
        }
        let ignored = Self::ignored(&root, dockerfile)?;
        Ok(Self {
            root,
            dockerfile: dockerfile.to_owned(),
            ignored,
        })
    }

    /// A Dockerfile may have a file of its own.
    fn ignored(root: &Path, dockerfile: &str) -> Result<Ignored> {
        for name in [
            format!("{dockerfile}.dockerignore"),
            ".dockerignore".to_owned(),
        ] {
            let path = root.join(&name);
            match fs::read_to_string(&path) {
                Ok(text) => {
                    let read = Ignored::read(&text);
                    return read.map_err(|error| error.context(format!("`{}`", path.display())));
                }
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(cause).context(format!("reading `{}`", path.display())),
            }
        }
        Ok(Ignored::default())
    }

    /// Packs it: names in order, no times, no owners, so that the same files make the same tar, and
    /// the same layers.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(super) fn pack(&self) -> Result<Packed> {
        let mut packed = Packed {
            tar: Vec::new(),
            files: 0,
        };
        let mut tar = tar::Builder::new(Vec::new());
        self.add(&self.root, "", &mut tar, &mut packed.files)?;
        packed.tar = tar.into_inner().context("packing the context")?;
        Ok(packed)
    }

    fn add(
        &self,
        folder: &Path,
        before: &str,
        tar: &mut tar::Builder<Vec<u8>>,
        files: &mut usize,
    ) -> Result<()> {
        let reading = |path: &Path| format!("reading `{}`", path.display());
        let entries = fs::read_dir(folder).context(reading(folder))?;
        let entries: std::io::Result<Vec<_>> = entries.collect();
        let mut entries = entries.context(reading(folder))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (path, name) = (entry.path(), entry.file_name());
            let Some(name) = name.to_str() else {
                let text = format!("the name of `{}` is not text", path.display());
                return Err(Error::failed(text));
            };
            let name = format!("{before}{name}");
            let facts = fs::symlink_metadata(&path).context(reading(&path))?;
            let is_folder = facts.is_dir();
            // Each run writes to its journal, which is no part of any image.
            if is_folder && entry.file_name() == JOURNAL {
                continue;
            }
            // The builder needs it, whoever is not to copy it.
            let is_left_out = self.ignored.has(&name) && name != self.dockerfile;
            if is_left_out && !(is_folder && self.enters(&name)) {
                continue;
            }
            let mut header = tar::Header::new_gnu();
            header.set_mtime(0);
            let packing = || format!("packing `{}`", path.display());
            if is_folder {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                if !is_left_out {
                    let done = tar.append_data(&mut header, format!("{name}/"), &[][..]);
                    done.context(packing())?;
                }
                self.add(&path, &format!("{name}/"), tar, files)?;
            } else if facts.is_symlink() {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_mode(0o777);
                header.set_size(0);
                let to = fs::read_link(&path).context(reading(&path))?;
                let done = tar.append_link(&mut header, &name, to);
                done.context(packing())?;
                *files += 1;
            } else if facts.is_file() {
                let runs = facts.permissions().mode() & 0o100 != 0;
                header.set_mode(if runs { 0o755 } else { 0o644 });
                let content = fs::read(&path).context(reading(&path))?;
                header.set_size(content.len() as u64);
                let done = tar.append_data(&mut header, &name, content.as_slice());
                done.context(packing())?;
                *files += 1;
            }
        }
        Ok(())
    }

    /// A folder that is left out may hold what is not: the Dockerfile, or an exception.
    fn enters(&self, name: &str) -> bool {
        self.ignored.has_exceptions() || self.dockerfile.starts_with(&format!("{name}/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_tar_whenever_and_by_whomever_they_were_written() {
        let make = |names: &[&str]| {
            let folder = tempfile::tempdir().unwrap();
            for name in names {
                let path = folder.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, name).unwrap();
            }
            fs::write(folder.path().join(".dockerignore"), "*\n!app\napp/cache\n").unwrap();
            folder
        };
        let names = [
            "docker/Dockerfile",
            "app/b.R",
            "app/a.R",
            "app/cache/x",
            "app/.tidewalk/journal/x.jsonl",
            "notes",
        ];
        let (one, two) = (
            make(&names),
            make(&["app/a.R", "app/b.R", "docker/Dockerfile"]),
        );
        let pack = |folder: &tempfile::TempDir| {
            let opened = Folder::open(folder.path().to_owned(), "docker/Dockerfile");
            opened.unwrap().pack().unwrap()
        };
        let (packed, other) = (pack(&one), pack(&two));
        assert_eq!(packed.files, 3);
        assert!(packed.tar == other.tar);
        fs::set_permissions(
            two.path().join("app/a.R"),
            fs::Permissions::from_mode(0o700),
        )
        .unwrap();
        assert!(packed.tar != pack(&two).tar, "a program is another file");
        let mut there = Vec::new();
        for entry in tar::Archive::new(packed.tar.as_slice()).entries().unwrap() {
            there.push(entry.unwrap().path().unwrap().display().to_string());
        }
        assert_eq!(there, ["app/", "app/a.R", "app/b.R", "docker/Dockerfile"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let open = |root: PathBuf| Folder::open(root, "Dockerfile").unwrap_err();
        let there = folder.path().to_owned();
        assert!(open(there.join("no")).message().contains("is not a folder"));
        assert!(open(there).message().contains("there is no `Dockerfile`"));
    }
}
