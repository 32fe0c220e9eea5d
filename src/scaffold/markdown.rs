//! Documents with R code in them: R Markdown and Quarto.

use super::code::Named;

/// The header's lines, and the R code with all else as empty lines, so that lines keep their
/// numbers.
pub(super) fn split(text: &str) -> (Vec<String>, String) {
    let mut header = Vec::new();
    let mut code = String::new();
    let mut place = Place::Start;
    for line in text.lines() {
        let trimmed = line.trim();
        let fence = ["```", "~~~"]
            .into_iter()
            .find(|it| trimmed.starts_with(it));
        let mut is_code = false;
        place = match (place, fence) {
            (Place::Start, _) if trimmed == "---" => Place::Header,
            (Place::Header, _) if matches!(trimmed, "---" | "...") => Place::Prose,
            (Place::Header, _) => Place::Header,
            (Place::Code(open) | Place::Other(open), Some(fence)) if fence == open => Place::Prose,
            (Place::Code(open), _) => {
                is_code = true;
                Place::Code(open)
            }
            (Place::Other(open), _) => Place::Other(open),
            (_, Some(fence)) if is_r(trimmed) => Place::Code(fence),
            // A block that opens and closes on one line is none.
            (_, Some(fence)) if !trimmed.get(3..).unwrap_or_default().contains(fence) => {
                Place::Other(fence)
            }
            _ => Place::Prose,
        };
        if matches!(place, Place::Header) {
            header.push(line.to_owned());
        }
        if is_code {
            code.push_str(line);
        }
        code.push('\n');
    }
    (header, code)
}

#[derive(Clone, Copy)]
enum Place {
    Start,
    Header,
    Prose,
    Code(&'static str),
    Other(&'static str),
}

fn is_r(fence: &str) -> bool {
    let inside = fence
        .get(3..)
        .and_then(|it| it.trim_start().strip_prefix('{'));
    let language = inside.map(|it| it.split(|c: char| !c.is_alphanumeric()).next());
    matches!(language, Some(Some("r" | "R")))
}

/// The line of `key: value` in a header, for one of the values.
pub(super) fn header_line(header: &[String], key: &str, values: &[&str]) -> Option<usize> {
    let fits = |line: &String| {
        let pair = line.trim().split_once(':');
        pair.is_some_and(|(name, value)| {
            let value = value.trim().trim_matches(['"', '\'']);
            name.trim() == key && values.contains(&value)
        })
    };
    header.iter().position(fits).map(|at| at + 1)
}

/// Packages in a header: `output: flexdashboard::flex_dashboard`.
pub(super) fn header_packages(header: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    for (at, line) in header.iter().enumerate() {
        for (end, _) in line.match_indices("::") {
            let before = line.get(..end).unwrap_or_default();
            let belongs = |c: char| c.is_ascii_alphanumeric() || c == '.';
            let name = before.rsplit(|c| !belongs(c)).next().unwrap_or_default();
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let name = name.to_owned();
                found.push(Named { name, line: at + 1 });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "---\ntitle: x\noutput:\n  flexdashboard::flex_dashboard: default\n\
        runtime: shiny\n---\n\nlibrary(prose)\n\n```{r setup, include=FALSE}\nlibrary(a)\n```\n\
        ```{python}\nlibrary(no)\n```\n```r\nlibrary(shown)\n```\n   ```{R}\n   b::f()\n   ```\n";

    #[test]
    fn only_r_code_is_kept_and_keeps_its_line() {
        let (header, code) = split(DOCUMENT);
        let lines: Vec<_> = code
            .lines()
            .enumerate()
            .filter(|(_, it)| !it.is_empty())
            .collect();
        assert_eq!(lines, [(10, "library(a)"), (19, "   b::f()")]);
        assert_eq!(
            header_line(&header, "runtime", &["shiny", "shinyrmd"]),
            Some(5)
        );
        assert_eq!(header_line(&header, "server", &["shiny"]), None);
    }

    #[test]
    fn packages_of_the_header_are_found() {
        let (header, _) = split(DOCUMENT);
        let packages = header_packages(&header);
        assert_eq!(packages.len(), 1);
        assert_eq!(
            (packages[0].name.as_str(), packages[0].line),
            ("flexdashboard", 4)
        );
    }
}
