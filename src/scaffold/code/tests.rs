//! What a file of R code says.

use super::Code;

fn code(text: &str) -> Code {
    Code::new("x.R".to_owned(), text)
}

fn packages(text: &str) -> Vec<String> {
    code(text)
        .packages()
        .into_iter()
        .map(|it| it.name)
        .collect()
}

#[test]
fn packages_are_attached_loaded_or_named() {
    assert_eq!(
        packages("library(a); require('b'); library(package = \"c\", quietly = TRUE)"),
        ["a", "b", "c"]
    );
    assert_eq!(
        packages("requireNamespace(\"d\"); loadNamespace('e')"),
        ["d", "e"]
    );
    assert_eq!(packages("f::g(h:::i)"), ["f", "h"]);
    assert_eq!(
        packages("pacman::p_load(j, \"no\", k, install = TRUE)"),
        ["pacman", "j", "k"]
    );
    assert_eq!(
        packages("box::use(l[m, n], o = p, ./q, r/s, t[...])"),
        ["box", "l", "p", "t"]
    );
}

#[test]
fn what_names_no_package_is_passed_over() {
    let text = "library(x, character.only = TRUE)\nrequireNamespace(y)\nlibrary()\n\
        library(help = 'z')\n# library(a)\n'library(b)'\nmy_library(c)\nuse(d)";
    assert_eq!(packages(text), [] as [&str; 0]);
}

#[test]
fn variables_are_read_with_their_defaults() {
    let text = "Sys.getenv('A')\nSys.getenv(\"B\", 'b')\nSys.getenv(x = 'C', unset = 3)\n\
        Sys.getenv('D', unset = stop('no'))\nSys.getenv(c('E', 'F'), '')\nSys.getenv(name)\nSys.getenv()";
    let read = code(text).variables();
    let read: Vec<_> = read
        .iter()
        .map(|it| (it.name.as_str(), it.default.as_deref(), it.line))
        .collect();
    assert_eq!(
        read,
        [
            ("A", None, 1),
            ("B", Some("b"), 2),
            ("C", Some("3"), 3),
            ("D", None, 4),
            ("E", Some(""), 5),
            ("F", Some(""), 5),
        ]
    );
}

#[test]
fn calls_that_serve_are_told_from_those_that_may() {
    let serving = |text: &str| -> Vec<_> {
        let calls = code(text).serving();
        calls
            .into_iter()
            .map(|it| (it.line, it.always, it.port))
            .collect()
    };
    assert_eq!(
        serving("pr() |>\n  pr_run(host = 'x', port = 8000L)"),
        [(2, true, Some(8000))]
    );
    assert_eq!(serving("plumb('x')$run(port = 1)"), [(1, true, Some(1))]);
    assert!(serving("run(port = 1); x$runApp(port = 2)").is_empty());
    assert_eq!(
        serving("if (interactive()) shiny::runApp(port = 3)"),
        [(1, false, Some(3))]
    );
    assert_eq!(
        serving("f <- function() {\n  runApp(port = p)\n}"),
        [(2, false, None)]
    );
    assert_eq!(serving("pr_run(x, options(port = 5))"), [(1, true, None)]);
}

#[test]
fn routes_are_those_that_answer_to_get() {
    let text = "#* @get /a\n#' @get   /b <x>\n# @get /no\n#* @post /no\n#* Says @get /no\n\
        pr_get(pr, '/c', f) |> pr_post('/no', f)\napi_get(api, \"/d\", f)";
    let routes: Vec<_> = code(text)
        .get_routes()
        .into_iter()
        .map(|it| it.name)
        .collect();
    assert_eq!(routes, ["/a", "/b", "/c", "/d"]);
}

#[test]
fn a_program_begins_with_its_interpreter() {
    assert!(code("#!/usr/bin/env Rscript\n1").is_program());
    assert!(!code("#!/bin/sh\n1").is_program());
    assert!(!code("1\n#!/usr/bin/env Rscript").is_program());
}
