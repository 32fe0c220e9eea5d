//! What a Dockerfile says about the container: the port that it exposes, the path of its health
//! check. Of several stages, the last one counts.

use std::collections::BTreeMap;

use regex::Regex;

use super::app::{Evidence, Place};

/// What was found in a Dockerfile.
#[derive(Default)]
pub(super) struct Image {
    /// The ports that it exposes for TCP, in order, each with its line.
    pub(super) ports: Vec<(u16, usize)>,
    /// The path that its health check asks for.
    pub(super) health: Option<(String, usize)>,
}

/// Reads a Dockerfile.
pub(super) fn read(text: &str) -> Image {
    let mut image = Image::default();
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (line, instruction) in instructions(text) {
        let (word, rest) = instruction
            .split_once(char::is_whitespace)
            .unwrap_or((&instruction, ""));
        match word.to_ascii_uppercase().as_str() {
            "FROM" => image = Image::default(),
            "ARG" | "ENV" => {
                let pairs = rest.split_whitespace().filter_map(|it| it.split_once('='));
                known.extend(pairs.map(|(name, value)| {
                    (name.to_owned(), value.trim_matches(['"', '\'']).to_owned())
                }));
            }
            "EXPOSE" => {
                let ports = rest.split_whitespace().filter_map(|it| port(it, &known));
                image.ports.extend(ports.map(|port| (port, line)));
            }
            "HEALTHCHECK" => image.health = path(rest).map(|path| (path, line)),
            _ => {}
        }
    }
    image
}

impl Image {
    /// The port that is taken, and the fact.
    pub(super) fn port(&self) -> Option<(u16, Evidence)> {
        let (port, line) = *self.ports.first()?;
        let what = format!("port {port}, by EXPOSE");
        let at = Place::new("Dockerfile", line);
        Some((port, Evidence { what, at }))
    }
}

/// The instructions, each with its first line; a backslash goes on with the next one.
fn instructions(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (part, more) = match line.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (line, false),
        };
        match found.last_mut().filter(|_| goes_on) {
            Some((_, whole)) => whole.push_str(part),
            None => found.push((at + 1, part.to_owned())),
        }
        goes_on = more;
    }
    found
}

/// `8000`, `8000/tcp`, `$PORT` or `${PORT:-8000}`.
fn port(word: &str, known: &BTreeMap<String, String>) -> Option<u16> {
    let (number, protocol) = word.split_once('/').unwrap_or((word, "tcp"));
    if protocol != "tcp" {
        return None;
    }
    let Some(name) = number.strip_prefix('$') else {
        return number.parse().ok();
    };
    let name = name.trim_start_matches('{').trim_end_matches('}');
    let (name, default) = name.split_once(":-").unwrap_or((name, ""));
    let value = known.get(name).map_or(default, String::as_str);
    value.parse().ok()
}

fn path(command: &str) -> Option<String> {
    let url = Regex::new(r#"https?://[^\s/"']+(/[A-Za-z0-9._~/-]*)"#).ok()?;
    Some(url.captures(command)?.get(1)?.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_health_checks_are_those_of_the_last_stage() {
        let text = "FROM rust AS build\nEXPOSE 1\nARG PORT=9000\n# EXPOSE 2\nFROM debian\n\
            expose ${PORT} 53/udp 8080/tcp \\\n  ${OTHER:-7000} $UNKNOWN\n\
            HEALTHCHECK --interval=5s \\\n  CMD curl -f http://localhost:9000/healthz || exit 1\n";
        let image = read(text);
        assert_eq!(image.ports, [(9000, 6), (8080, 6), (7000, 6)]);
        assert_eq!(image.health, Some(("/healthz".to_owned(), 8)));
        let other = read("FROM x\nCMD [\"EXPOSE 8000\"]\nHEALTHCHECK NONE\n");
        assert!(other.ports.is_empty() && other.health.is_none());
    }
}
