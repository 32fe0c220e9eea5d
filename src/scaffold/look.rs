//! Finds out what a folder is, and says why.

use std::path::Path;

use super::app::App;
use super::folder::Folder;
use super::found::Found;
use super::launch::Launch;
use super::serving::{health, listening, port};
use super::signs::{SIGNS, of_file, table};
use super::variables::variables;
use super::{image, name, packages};
use crate::base::{Error, Result};

/// The files that are written, as they are called in the folder.
pub(super) const FILES: [&str; 3] = ["Dockerfile", ".dockerignore", "tidewalk.yml"];

/// Looks at the folder at `path`; `entry` is the file in it that is to be run, where the folder
/// alone does not tell.
///
/// # Errors
/// The folder cannot be read, nothing in it is known, or it may be more than one thing: with what
/// was looked for, and what to do.
pub fn look(path: &Path, entry: Option<&str>) -> Result<App> {
    let folder = Folder::read(path)?;
    let found = match entry {
        Some(entry) => of_file(&folder, entry.trim_start_matches("./"))?,
        None => decide(&folder)?,
    };
    let image = folder.text("Dockerfile")?.map(|text| image::read(&text));
    let launch = match image {
        Some(_) => Launch::Image,
        None => found.launch.clone(),
    };
    let base = folder
        .path
        .file_name()
        .map(|it| it.to_string_lossy().into_owned());
    let mut app = App {
        name: name::valid(&base.unwrap_or_default()),
        form: found.form,
        entry: found.file.clone(),
        command: Vec::new(),
        port: None,
        health_path: "/".to_owned(),
        packages: Vec::new(),
        locked: Vec::new(),
        packages_from: String::new(),
        r_version: None,
        programs: Vec::new(),
        variables: variables(&folder),
        because: vec![found.because.clone()],
        notes: Vec::new(),
        kept: FILES
            .iter()
            .filter(|it| folder.has(it))
            .map(|it| (*it).to_owned())
            .collect(),
        folder: folder.path.clone(),
    };
    port(&mut app, &folder, &found, image.as_ref());
    health(&mut app, &folder, &found, image.as_ref());
    if image.is_none() {
        app.command = launch.command(app.port);
        install(&mut app, &folder, &found)?;
    }
    if let Launch::Program(file) = &launch {
        listening(&mut app, &folder, file);
    }
    for secrets in [".Renviron", ".env"]
        .into_iter()
        .filter(|it| folder.has(it))
    {
        // What is left out of the image of others is theirs to say.
        let note = if app.has_dockerfile() || folder.has(".dockerignore") {
            "may hold secrets: see that it is not put into the image"
        } else {
            "is not put into the image: what it sets belongs in the playbook"
        };
        app.notes.push(format!("`{secrets}` {note}"));
    }
    Ok(app)
}

/// The one thing that the folder is.
fn decide(folder: &Folder) -> Result<Found> {
    for last in [false, true] {
        let mut all: Vec<Found> = Vec::new();
        for sign in SIGNS.iter().filter(|it| it.last == last) {
            let known = all.iter().any(|it| it.form == sign.form);
            // A script beside a Dockerfile is a part of its image.
            let part = last && !all.is_empty();
            if !known && !part {
                all.extend(sign.find(folder)?);
            }
        }
        if all.len() > 1 {
            return Err(ambiguous(folder, &all));
        }
        if let Some(found) = all.pop() {
            return Ok(found);
        }
    }
    Err(nothing(folder))
}

fn ambiguous(folder: &Folder, all: &[Found]) -> Error {
    let message = format!("`{}` may be more than one thing", folder.path.display());
    let error = all.iter().fold(Error::usage(message), |error, found| {
        error.note(found.because.to_string())
    });
    let first = all.first().map_or("", |it| it.file.as_str());
    error.hint(format!(
        "say which file is run, such as `--entry {first}`; or give each a folder"
    ))
}

fn nothing(folder: &Folder) -> Error {
    let message = format!("nothing in `{}` says what to run", folder.path.display());
    let mut error = Error::usage(message).note(format!("looked for:\n{}", table().trim_end()));
    for (one, other) in [("ui.R", "server.R"), ("server.R", "ui.R")] {
        if folder.named(one).is_some() && folder.named(other).is_none() {
            error = error.note(format!("`{one}` is there, but no `{other}`"));
        }
    }
    let below = folder
        .code
        .iter()
        .find(|it| !it.is_on_top() && it.is_script());
    match below {
        Some(code) => error.hint(format!("say which file is run: `--entry {}`", code.path)),
        None => error.hint("name a folder with one of them, or write a `Dockerfile` there"),
    }
}

fn install(app: &mut App, folder: &Folder, found: &Found) -> Result<()> {
    let packages = packages::packages(folder, &found.packages)?;
    // R Markdown leaves the conversion to it.
    if packages.list.iter().any(|it| it.name == "rmarkdown") {
        app.programs.push("pandoc".to_owned());
    }
    app.packages = packages.list;
    app.locked = packages.locked;
    app.packages_from = packages.from;
    app.r_version = packages.r_version;
    app.notes.extend(packages.notes);
    Ok(())
}
