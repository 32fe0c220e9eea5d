//! Writes a Dockerfile, what it leaves out, and a playbook for an app.

use std::path::PathBuf;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::app::{App, Form, Variable};
use super::install::{Missing, apt, beyond, elsewhere, github, quoted, words};
use super::look::FILES;
use super::schedule;
use crate::base::{Error, Result, ResultExt as _};

const TEMPLATES: [(&str, &str); 5] = [
    ("Dockerfile", include_str!("templates/Dockerfile.j2")),
    (".dockerignore", include_str!("templates/dockerignore.j2")),
    ("service.yml", include_str!("templates/service.yml.j2")),
    ("job.yml", include_str!("templates/job.yml.j2")),
    ("parts.j2", include_str!("templates/parts.j2")),
];

/// Without a schedule, a job runs once a day.
const DAILY: &str = "cron(0 8 * * ? *)";

/// What may be asked for beside the app itself.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Restore the exact versions of `renv.lock`.
    pub exact: bool,
    /// When a job runs, in the words of AWS or of crontab.
    pub schedule: Option<String>,
    /// AWS region; `eu-west-1` if not given.
    pub region: Option<String>,
}

/// A file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewFile {
    /// Path in the app's folder.
    pub path: PathBuf,
    /// The whole text.
    pub content: String,
}

/// The files that the folder of `app` lacks: a file that is there is never among them.
///
/// # Errors
/// An option does not go with what the app is, or the schedule says no time.
pub fn write(app: &App, options: &Options) -> Result<Vec<NewFile>> {
    let facts = Facts::new(app, options)?;
    let env = environment()?;
    let mut files = Vec::new();
    for file in FILES
        .into_iter()
        .filter(|it| !app.kept.iter().any(|kept| kept == it))
    {
        let template = match file {
            "tidewalk.yml" if facts.schedule.is_some() => "job.yml",
            "tidewalk.yml" => "service.yml",
            other => other,
        };
        let template = env
            .get_template(template)
            .context(format!("the template of `{file}`"))?;
        let text = template
            .render(Serde(&facts))
            .context(format!("writing `{file}`"))?;
        files.push(NewFile {
            path: PathBuf::from(file),
            content: tidy(&text),
        });
    }
    Ok(files)
}

/// All that the templates read.
#[derive(Serialize)]
struct Facts<'a> {
    name: &'a str,
    what: String,
    because: Vec<String>,
    port: Option<u16>,
    health_path: &'a str,
    region: String,
    schedule: Option<String>,
    form: Form,
    plain: Vec<Setting<'a>>,
    secrets: Vec<Setting<'a>>,
    own: bool,
    exact: bool,
    locked: bool,
    r_version: Option<&'a str>,
    from: &'a str,
    base: String,
    apt: Vec<String>,
    github: Option<String>,
    beyond: Option<String>,
    elsewhere: Vec<Missing<'a>>,
    command: String,
}

/// An environment variable, as a playbook writes it.
#[derive(Serialize)]
struct Setting<'a> {
    name: &'a str,
    /// For the name of a parameter.
    slug: String,
    /// Its default, in quotes.
    value: String,
    at: String,
}

impl<'a> Facts<'a> {
    fn new(app: &'a App, options: &Options) -> Result<Self> {
        let locked = app.packages_from == "renv.lock";
        if options.exact && !app.has_dockerfile() && !locked {
            return Err(
                Error::usage("there are no exact versions: the folder has no `renv.lock`")
                    .hint("write one by `renv::snapshot()` in R, or go without `--exact`"),
            );
        }
        let region = options
            .region
            .clone()
            .unwrap_or_else(|| "eu-west-1".to_owned());
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !region.chars().all(known) {
            return Err(Error::usage(format!("`{region}` is no region of AWS")));
        }
        let schedule = schedule(app, options)?;
        let (secrets, plain) = app.variables.iter().partition::<Vec<_>, _>(|it| it.secret);
        let base = match (options.exact, &app.r_version) {
            (true, Some(version)) => format!("rocker/r-ver:{version}"),
            (true, None) => "rocker/r-ver:latest".to_owned(),
            _ => "rocker/r2u:jammy".to_owned(),
        };
        let shown = |it: &'a Variable| Setting::new(it);
        Ok(Self {
            name: &app.name,
            what: what(app, schedule.is_some()),
            because: app.because.iter().map(ToString::to_string).collect(),
            port: app.port,
            health_path: &app.health_path,
            region,
            schedule,
            form: app.form,
            plain: plain.into_iter().map(shown).collect(),
            secrets: secrets.into_iter().map(shown).collect(),
            own: app.has_dockerfile(),
            exact: options.exact,
            locked,
            r_version: app.r_version.as_deref(),
            from: &app.packages_from,
            base,
            apt: apt(app, options.exact),
            github: github(app),
            beyond: beyond(app),
            elsewhere: elsewhere(app),
            command: words(&app.command),
        })
    }
}

impl<'a> Setting<'a> {
    fn new(variable: &'a Variable) -> Self {
        Self {
            name: &variable.name,
            slug: variable.name.to_lowercase().replace('_', "-"),
            value: quoted(variable.default.as_deref().unwrap_or_default()),
            at: variable.at.to_string(),
        }
    }
}

fn schedule(app: &App, options: &Options) -> Result<Option<String>> {
    let asked = options
        .schedule
        .as_deref()
        .map(schedule::expression)
        .transpose()?;
    match app.form {
        Form::Job => Ok(Some(asked.unwrap_or_else(|| DAILY.to_owned()))),
        Form::Container => Ok(asked),
        Form::Api | Form::Shiny if asked.is_some() => {
            let message = format!(
                "`{}` is {}: it serves, and has no schedule",
                app.entry,
                app.form.noun()
            );
            Err(Error::usage(message)
                .hint("leave `--schedule` out, or say by `--entry` which script is run then"))
        }
        Form::Api | Form::Shiny => Ok(None),
    }
}

fn what(app: &App, scheduled: bool) -> String {
    let entry = match app.form {
        Form::Container => "`Dockerfile`".to_owned(),
        _ => format!("`{}`", app.entry),
    };
    match app.form {
        Form::Api => format!("the API of {entry}"),
        Form::Shiny => format!("the Shiny app of {entry}"),
        Form::Container if !scheduled => format!("the container of {entry}"),
        Form::Job | Form::Container => format!("the job of {entry}"),
    }
}

/// Square brackets, as playbooks have expressions in curly ones.
fn environment() -> Result<Environment<'static>> {
    let syntax = SyntaxConfig::builder()
        .variable_delimiters("[[", "]]")
        .block_delimiters("[%", "%]")
        .comment_delimiters("[#", "#]")
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .context("the syntax of the templates")?;
    let mut env = Environment::new();
    env.set_syntax(syntax);
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    for (name, text) in TEMPLATES {
        env.add_template(name, text)
            .context(format!("the template `{name}`"))?;
    }
    Ok(env)
}

/// No two empty lines in a row, none at the ends.
fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && (tidy.is_empty() || tidy.ends_with("\n\n"))) {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy.truncate(tidy.trim_end().len());
    tidy.push('\n');
    tidy
}
