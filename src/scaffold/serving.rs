//! Where an app answers: its port, the path that tells how it is, and whether anybody reaches it.

use super::app::{App, Evidence, Form, Place};
use super::folder::Folder;
use super::found::Found;
use super::image::Image;
use super::launch::Launch;

/// Paths that are made to be asked whether all is well, the best one first.
const HEALTH_PATHS: [&str; 3] = ["/healthz", "/health", "/ping"];

/// Ports below it may be root's alone, which an app in a container is not.
const LOWEST: u16 = 1024;

/// Finds the port.
pub(super) fn port(app: &mut App, folder: &Folder, found: &Found, image: Option<&Image>) {
    if let Some((port, because)) = image.and_then(Image::port) {
        if let Some(others) = image.filter(|it| it.ports.len() > 1) {
            let all = others.ports.iter().map(|(port, _)| port.to_string());
            let all = all.collect::<Vec<_>>().join(", ");
            app.notes.push(format!(
                "of the exposed ports ({all}), the first one gets the requests"
            ));
        }
        app.port = Some(port);
        app.because.push(because);
        return;
    }
    let usual = match found.form {
        Form::Api => 8000,
        Form::Shiny => 3838,
        Form::Job | Form::Container => return,
    };
    // Where the app does not serve by itself, its port is ours to choose: as it is used to.
    let alone = matches!(found.launch, Launch::Program(_));
    let files = folder
        .code
        .iter()
        .filter(|it| it.path == found.file || (!alone && it.is_on_top()));
    let written: Vec<_> = files
        .flat_map(|code| code.serving().into_iter().map(move |it| (code, it)))
        .filter(|(_, it)| it.always || !alone)
        .filter_map(|(code, it)| Some((it.port?, &code.path, it.line)))
        .collect();
    if let Some(&(port, file, line)) = written.iter().find(|(port, ..)| *port >= LOWEST) {
        app.port = Some(port);
        app.because.push(Evidence {
            what: format!("port {port}"),
            at: Place::new(file, line),
        });
    } else {
        app.port = Some(usual);
        let note = match written.first() {
            Some((port, file, line)) => format!(
                "{} listens to port {port}, which is for root: write {usual} there",
                Place::new(file, *line)
            ),
            None => format!(
                "{} does not say its port as a number: {usual} is assumed",
                found.file
            ),
        };
        if alone {
            app.notes.push(note);
        }
    }
    if image.is_some() {
        let port = app.port.unwrap_or(usual);
        app.notes
            .push(format!("the Dockerfile exposes no port: {port} is assumed"));
    }
}

/// Finds the path that answers with 200 as long as it is well.
pub(super) fn health(app: &mut App, folder: &Folder, found: &Found, image: Option<&Image>) {
    let mut take = |path: &str, file: &str, line: usize| {
        path.clone_into(&mut app.health_path);
        app.because.push(Evidence {
            what: format!("GET {path} tells that it is well"),
            at: Place::new(file, line),
        });
    };
    if found.form == Form::Api {
        let whole = found.file.eq_ignore_ascii_case("plumber.R");
        let files = folder
            .code
            .iter()
            .filter(|it| it.path == found.file || (!whole && it.is_on_top()));
        let routes: Vec<_> = files
            .flat_map(|code| {
                code.get_routes()
                    .into_iter()
                    .map(move |it| (&code.path, it))
            })
            .collect();
        let route = |path: &&str| {
            routes
                .iter()
                .find(|(_, it)| it.name.trim_end_matches('/') == *path)
        };
        if let Some((file, route)) = HEALTH_PATHS.iter().find_map(route) {
            return take(&route.name, file, route.line);
        }
    }
    if let Some((path, line)) = image.and_then(|it| it.health.as_ref()) {
        return take(path, "Dockerfile", *line);
    }
    if found.form == Form::Api {
        "/__docs__/".clone_into(&mut app.health_path);
        let note = "no route `/healthz`, `/health` or `/ping`: the page of the documentation is \
                    asked instead, which says little about how the API is";
        app.notes.push(note.to_owned());
    }
}

/// A server that listens to its own machine only is reached by nobody in a container.
pub(super) fn listening(app: &mut App, folder: &Folder, file: &str) {
    let serving = folder
        .code(file)
        .map(super::code::Code::serving)
        .unwrap_or_default();
    for call in serving.iter().filter(|it| it.always) {
        if call.host.as_deref() != Some("0.0.0.0") {
            let at = Place::new(file, call.line);
            app.notes.push(format!(
                "{at} listens to its own machine only: add `host = \"0.0.0.0\"` there, or nothing \
                 reaches it in a container"
            ));
        }
    }
}
