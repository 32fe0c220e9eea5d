//! Finds the signs of the table in a folder.

use super::app::{Evidence, Form, Place};
use super::code::Code;
use super::folder::Folder;
use super::launch::Launch;
use super::markdown::header_line;
use crate::base::{Error, Result};

/// A sign that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: String,
    pub(super) form: Form,
    pub(super) because: Evidence,
    pub(super) launch: Launch,
    /// Packages that its command needs, whether the code names them or not.
    pub(super) packages: Vec<String>,
}

/// What the file of this name in the folder itself is.
pub(super) fn by_name(folder: &Folder, name: &str, take: fn(&Code) -> Option<Found>) -> Vec<Found> {
    let code = folder.named(name).and_then(|name| folder.code(name));
    code.and_then(take).into_iter().collect()
}

fn found(form: Form, file: &str, line: usize, what: &str, launch: Launch) -> Found {
    Found {
        file: file.to_owned(),
        form,
        because: Evidence {
            what: what.to_owned(),
            at: Place::new(file, line),
        },
        launch,
        packages: Vec::new(),
    }
}

impl Found {
    fn with(mut self, packages: &[&str]) -> Self {
        self.packages = packages.iter().map(|it| (*it).to_owned()).collect();
        self
    }
}

/// `_server.yml`, which names the package that runs it: <https://plumber2.posit.co/articles/server_yml.html>
pub(super) fn server_yml(folder: &Folder) -> Result<Vec<Found>> {
    let file = "_server.yml";
    let Some(text) = folder.text(file)? else {
        return Ok(Vec::new());
    };
    let engines = text.lines().enumerate().filter_map(|(at, line)| {
        let value = line.strip_prefix("engine:")?.split('#').next()?;
        Some((at + 1, value.trim().trim_matches(['"', '\'']).to_owned()))
    });
    let Some((line, engine)) = engines
        .last()
        .filter(|(_, it)| super::packages::is_name(it))
    else {
        return Err(Error::usage(format!("`{file}` names no engine"))
            .hint("add the package that runs it: `engine: plumber2`"));
    };
    let call = format!("{engine}:::launch_server('{file}', host = '0.0.0.0', port = PORT)");
    let what = format!("an API, run by {engine}");
    let found = found(Form::Api, file, line, &what, Launch::Call(call));
    Ok(vec![found.with(&[&engine])])
}

/// A file with routes, or one that makes a router.
#[expect(clippy::unnecessary_wraps, reason = "as `by_name` takes it")]
pub(super) fn api(code: &Code) -> Option<Found> {
    let plumber2 = code.packages().into_iter().find(|it| it.name == "plumber2");
    let routes = code.get_routes();
    let line = code
        .line_of("plumber", &[])
        .or(plumber2.as_ref().map(|it| it.line));
    let line = line.or(routes.first().map(|it| it.line)).unwrap_or(0);
    let file = quoted(&code.path);
    let (package, call) = if plumber2.is_some() {
        let call =
            format!("plumber2::api_run(plumber2::api({file}), host = '0.0.0.0', port = PORT)");
        ("plumber2", call)
    } else if code.path.eq_ignore_ascii_case("entrypoint.R") {
        // plumb() knows what an entrypoint is: it takes the router that the file returns.
        let call = "plumber::pr_run(plumber::plumb(dir = '.'), host = '0.0.0.0', port = PORT)";
        ("plumber", call.to_owned())
    } else {
        let call = format!("plumber::pr_run(plumber::pr({file}), host = '0.0.0.0', port = PORT)");
        ("plumber", call)
    };
    let what = format!("an API, run by {package}");
    let launch = Launch::of(code, call);
    Some(found(Form::Api, &code.path, line, &what, launch).with(&[package]))
}

/// A script is an API where it has routes or runs a router.
pub(super) fn api_by_content(code: &Code) -> Option<Found> {
    let routes = !code.get_routes().is_empty();
    let serves = code
        .line_of("plumber", &[])
        .or(code.line_of("plumber2", &[]));
    (routes || serves.is_some()).then(|| api(code)).flatten()
}

/// A file that makes or runs a Shiny app.
pub(super) fn shiny(code: &Code) -> Option<Found> {
    let line = code.line_of("shiny", &["shinyApp", "runApp"])?;
    let target = if code.path.eq_ignore_ascii_case("app.R") {
        "'.'".to_owned()
    } else {
        quoted(&code.path)
    };
    let call = format!("shiny::runApp({target}, host = '0.0.0.0', port = PORT)");
    let launch = Launch::of(code, call);
    Some(found(Form::Shiny, &code.path, line, "a Shiny app", launch).with(&["shiny"]))
}

/// An app in two files.
pub(super) fn ui_and_server(folder: &Folder) -> Vec<Found> {
    let (Some(_), Some(server)) = (folder.named("ui.R"), folder.named("server.R")) else {
        return Vec::new();
    };
    let call = "shiny::runApp('.', host = '0.0.0.0', port = PORT)".to_owned();
    let what = "a Shiny app, with `ui.R` beside it";
    let found = found(Form::Shiny, server, 0, what, Launch::Call(call));
    vec![found.with(&["shiny"])]
}

/// R Markdown documents that run Shiny.
pub(super) fn documents(folder: &Folder) -> Vec<Found> {
    let runtimes = ["shiny", "shinyrmd", "shiny_prerendered"];
    let documents = folder
        .code
        .iter()
        .filter(|it| it.is_on_top())
        .filter_map(|it| {
            let line = header_line(&it.header, "runtime", &runtimes)?;
            let file = quoted(&it.path);
            let arguments = "shiny_args = list(host = '0.0.0.0', port = PORT)";
            let launch = Launch::Call(format!("rmarkdown::run({file}, {arguments})"));
            let found = found(Form::Shiny, &it.path, line, "a Shiny document", launch);
            Some(found.with(&["rmarkdown", "shiny"]))
        });
    documents.collect()
}

/// Quarto documents that run Shiny, where a Dockerfile brings Quarto.
pub(super) fn quarto(folder: &Folder) -> Result<Vec<Found>> {
    let on_top = folder.code.iter().filter(|it| it.is_on_top());
    let documents =
        on_top.filter_map(|it| Some((it, header_line(&it.header, "server", &["shiny"])?)));
    let has_dockerfile = folder.has("Dockerfile");
    let take = |(code, line): (&Code, usize)| {
        if has_dockerfile {
            Ok(found(
                Form::Shiny,
                &code.path,
                line,
                "a Shiny document",
                Launch::Image,
            ))
        } else {
            Err(Error::usage(format!("`{}` needs the program Quarto", code.path))
            .note("no repository of Debian, Ubuntu or R packages has it")
            .hint(format!(
                "write a `Dockerfile` that installs it, exposes 3838 and runs `quarto serve {} \
                 --host 0.0.0.0 --port 3838 --no-browser`; the rest is then made for it",
                code.path
            )))
        }
    };
    documents.map(take).collect()
}

/// The Dockerfile.
pub(super) fn dockerfile(folder: &Folder) -> Vec<Found> {
    if !folder.has("Dockerfile") {
        return Vec::new();
    }
    let what = "an image of its own, used as it is";
    vec![found(Form::Container, "Dockerfile", 0, what, Launch::Image)]
}

fn on_top(folder: &Folder) -> impl Iterator<Item = &Code> {
    let scripts = folder.code.iter();
    scripts.filter(|it| it.is_on_top() && it.is_script() && !is_part(&it.path))
}

/// The scripts in the folder itself that serve as soon as they are run.
pub(super) fn servers(folder: &Folder) -> Vec<Found> {
    let serves = |code: &&Code| code.serving().iter().any(|it| it.always);
    let scripts = on_top(folder).filter(serves);
    let found = scripts.filter_map(|it| api_by_content(it).or_else(|| shiny(it)));
    found.collect()
}

/// The scripts in the folder itself; where some of them are programs, those.
pub(super) fn scripts(folder: &Folder) -> Vec<Found> {
    let scripts: Vec<_> = on_top(folder).collect();
    let programs: Vec<_> = scripts
        .iter()
        .copied()
        .filter(|it| it.is_program())
        .collect();
    let chosen = if programs.is_empty() {
        scripts
    } else {
        programs
    };
    chosen.into_iter().map(job).collect()
}

/// A script that runs to its end.
pub(super) fn job(code: &Code) -> Found {
    let (line, what) = if code.is_program() {
        (1, "a script that is run by Rscript")
    } else {
        (0, "a script, and nothing that serves")
    };
    let launch = Launch::Program(code.path.clone());
    found(Form::Job, &code.path, line, what, launch)
}

/// What Shiny sources by itself, and what belongs to R's own start.
fn is_part(name: &str) -> bool {
    let parts = ["ui.r", "server.r", "global.r"];
    name.starts_with(['.', '_']) || parts.contains(&name.to_lowercase().as_str())
}

/// A file's name as R code.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"))
}
