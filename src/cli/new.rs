//! `tidewalk new`

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex_lite::Regex;
use serde_json::json;

use super::bundled::{self, Ready};
use super::exit::Exit;
use super::session;
use crate::base::suggestion::hint;
use crate::base::{Error, Errors, Result, ResultExt};
use crate::report::Output;
use crate::scaffold::{self, Options};

/// Where editors find what a playbook may say.
const SCHEMA: &str = "playbook.schema.json";

/// Lay out a bundled playbook or app, or a playbook for an app of yours
///
/// NAME is a bundled playbook, which comes with the apps that it needs, or a bundled app alone;
/// without it, all are listed. With `--app`, the folder of an app of yours is looked at: a plumber
/// API, a Shiny app, a script that is to run at set times, or anything with a Dockerfile. Its R
/// packages are found in `renv.lock`, `DESCRIPTION` or the code; a Dockerfile and a playbook that
/// deploys it are written into the folder. No file that is there is ever changed.
#[derive(clap::Args, Debug)]
#[command(after_help = format!(
    "Examples:\n  tidewalk new crypto-stream\n  tidewalk new --app my-api\n\nWhat a folder is:\n{}",
    scaffold::table()
))]
pub struct Args {
    /// A bundled playbook or app
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Folder that it is laid out in
    #[arg(long, value_name = "DIR", default_value = ".", conflicts_with = "app")]
    into: PathBuf,

    /// Folder with an app of yours
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    app: Option<PathBuf>,

    /// The file in it that is run, where more than one could be
    #[arg(long, value_name = "FILE", requires = "app")]
    entry: Option<String>,

    /// When a script is to run: `rate(1 hour)`, `cron(0 8 * * ? *)`, or five fields as in crontab
    #[arg(long, value_name = "TIME", requires = "app")]
    schedule: Option<String>,

    /// Install the exact versions of `renv.lock` (with `renv::restore()`), not the current ones
    #[arg(long, requires = "app")]
    exact: bool,

    /// AWS region of the playbook [default: eu-west-1]
    #[arg(long, value_name = "REGION", requires = "app")]
    region: Option<String>,
}

/// A file to be laid out.
struct Laid {
    path: PathBuf,
    content: Vec<u8>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such playbook or app, a folder is nothing that is known, or a file is in the way.
pub fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    if let Some(folder) = &args.app {
        own(args, folder, out)?;
        return Ok(Exit::Done);
    }
    let Some(name) = &args.name else {
        list(out);
        return Ok(Exit::Done);
    };
    let (files, next) = laid(name, &args.into)?;
    write(&files, out)?;
    out.say(&next);
    Ok(Exit::Done)
}

fn list(out: &Output) {
    let mut text = "playbooks:\n".to_owned();
    for Ready { name, about, .. } in &bundled::PLAYBOOKS {
        let _ = writeln!(text, "  {name:<16}{about}");
    }
    text.push_str("apps:\n");
    for app in bundled::apps() {
        let _ = writeln!(text, "  {app:<16}{}", about(app));
    }
    out.data(&text);
    out.say("`tidewalk new NAME` lays one out in this folder\n");
    let playbooks: Vec<_> = bundled::PLAYBOOKS.iter().map(|it| it.name).collect();
    let apps: Vec<_> = bundled::apps().collect();
    out.document("new", json!({ "playbooks": playbooks, "apps": apps }));
}

static LINK: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::unwrap_used, reason = "it is always the same")]
    Regex::new(r"\[([^]]*)\]\([^)]*\)").unwrap()
});

/// The first sentence of an app's README.
fn about(app: &str) -> String {
    let files = bundled::app_files(app).into_iter();
    let mut readme = files.filter(|(path, _)| *path == Path::new("README.md"));
    let text = readme
        .next()
        .map(|(_, bytes)| String::from_utf8_lossy(bytes));
    let text = text.unwrap_or_default();
    let lines = text
        .lines()
        .skip_while(|line| line.starts_with('#') || line.is_empty());
    let paragraph: Vec<&str> = lines.take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    // A link is shown as its text.
    let paragraph = LINK.replace_all(&paragraph, "$1");
    let sentence = paragraph.split(". ").next().unwrap_or_default();
    sentence.trim_end_matches('.').to_owned()
}

/// The files of a bundled playbook or app, and what to do next.
fn laid(name: &str, into: &Path) -> Result<(Vec<Laid>, String)> {
    let name = name.strip_suffix(".yml").unwrap_or(name);
    if let Some(playbook) = bundled::PLAYBOOKS.iter().find(|it| it.name == name) {
        let file = format!("{name}.yml");
        let mut files = vec![Laid {
            path: into.join(&file),
            content: at_home(playbook.text).into_bytes(),
        }];
        let schema = serde_json::to_vec_pretty(&session::schema()).context("writing the schema")?;
        files.push(Laid {
            path: into.join(SCHEMA),
            content: schema,
        });
        for app in playbook.apps {
            files.extend(app_in(app, &into.join("apps").join(app)));
        }
        let place = into.join(file);
        let next = format!("the first lines of {} say how to go on\n", place.display());
        return Ok((files, next));
    }
    if bundled::apps().any(|app| app == name) {
        let folder = into.join(name);
        let next = format!("{} says how to go on\n", folder.join("README.md").display());
        return Ok((app_in(name, &folder), next));
    }
    let playbooks = bundled::PLAYBOOKS.iter().map(|it| it.name);
    let known: Vec<&str> = playbooks.chain(bundled::apps()).collect();
    let text = format!("there is no bundled playbook or app `{name}`");
    Err(Error::usage(text).hint(hint(name, &known)))
}

fn app_in(app: &str, folder: &Path) -> Vec<Laid> {
    let files = bundled::app_files(app).into_iter();
    let files = files.map(|(path, content)| Laid {
        path: folder.join(path),
        content: content.to_vec(),
    });
    files.collect()
}

/// A playbook that is no longer in this project's folder.
fn at_home(text: &str) -> String {
    text.replace("../docs/playbook.schema.json", SCHEMA)
        .replace(" playbooks/", " ")
}

/// What is in the way is told before anything is written.
fn write(files: &[Laid], out: &Output) -> Result<()> {
    let mut missing = Vec::new();
    let mut others = Vec::new();
    for file in files {
        match fs::read(&file.path) {
            Ok(bytes) if bytes == file.content => {}
            Ok(_) => others.push(file.path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing.push(file),
            Err(error) => {
                return Err(error).context(format!("reading `{}`", file.path.display()));
            }
        }
    }
    if !others.is_empty() {
        let text = format!(
            "{} would be overwritten, so nothing was written",
            others.join(", ")
        );
        return Err(Error::failed(text).hint("move them away, or use another folder: `--into DIR`"));
    }
    for Laid { path, content } in missing {
        let failed = || format!("writing `{}`", path.display());
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).context(failed())?;
        }
        fs::write(path, content).context(failed())?;
        if content.starts_with(b"#!") {
            let rights = fs::Permissions::from_mode(0o755);
            fs::set_permissions(path, rights).context(failed())?;
        }
        out.data(&format!("{}\n", path.display()));
    }
    let paths: Vec<_> = files
        .iter()
        .map(|file| file.path.display().to_string())
        .collect();
    out.document("new", json!({ "files": paths }));
    Ok(())
}

/// A playbook for an app of the user's own.
fn own(args: &Args, folder: &Path, out: &Output) -> Result<()> {
    let app = scaffold::look(folder, args.entry.as_deref())?;
    let options = Options {
        exact: args.exact,
        schedule: args.schedule.clone(),
        region: args.region.clone(),
    };
    let files = scaffold::write(&app, &options)?.into_iter();
    let files: Vec<Laid> = files
        .map(|file| Laid {
            path: folder.join(file.path),
            content: file.content.into_bytes(),
        })
        .collect();
    out.say(&format!("{} is {}:\n", folder.display(), app.form.noun()));
    for evidence in &app.because {
        out.say(&format!("  {evidence}\n"));
    }
    for note in &app.notes {
        out.say(&format!("  note: {note}\n"));
    }
    for kept in &app.kept {
        out.say(&format!("  {kept} is there already and stays as it is\n"));
    }
    write(&files, out)?;
    let playbook = folder.join("tidewalk.yml");
    let playbook = playbook.display();
    out.say(&format!(
        "next: `tidewalk apply {playbook}` deploys it; with `--sandbox`, on this machine\n"
    ));
    Ok(())
}
