//! The README: what it quotes was printed, what it says to type exists, its playbook is right.

use std::path::Path;
use std::process::Command;

use clap::Parser as _;
use regex::Regex;
use tidewalk::cli::program::Program;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let opening = format!("```{language}\n");
    let after = readme.split(&opening).skip(1);
    after
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// A printed line without what is another at each run: ids, times, padding after ids.
fn lasting(line: &str) -> String {
    let varying = [
        (r"\b(i|sg|key|eipalloc|vol|eni)-[0-9a-f]{17}\b *", "ID "),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\d+\.\d+s", "SECONDS"),
    ];
    varying
        .iter()
        .fold(line.to_owned(), |line, (pattern, name)| {
            let pattern = Regex::new(pattern).unwrap();
            pattern.replace_all(&line, *name).into_owned()
        })
}

#[test]
fn the_first_screen_is_what_the_demo_printed() {
    let demo = read("docs/demo.txt");
    let mut rest = demo.lines().map(lasting);
    for line in blocks("console")[0].lines().filter(|line| *line != "…") {
        let wanted = lasting(line);
        assert!(
            rest.any(|printed| printed == wanted),
            "not in docs/demo.txt from there on: {line}"
        );
    }
}

#[test]
fn every_command_of_the_readme_exists() {
    let blocks = blocks("console");
    // A line may go on in the next one.
    let text = blocks.concat().replace("\\\n", " ");
    let commands = text.lines();
    let commands = commands.filter_map(|line| line.strip_prefix("$ tidewalk "));
    let mut seen = 0;
    for command in commands {
        let words = command.split(&['#', '>']).next().unwrap();
        let words = shlex::split(words).unwrap();
        let problem =
            Program::try_parse_from(std::iter::once("tidewalk".to_owned()).chain(words)).err();
        assert!(
            problem.is_none(),
            "tidewalk {command}: {}",
            problem.unwrap()
        );
        seen += 1;
    }
    assert!(seen > 8, "only {seen} commands were found");
    let makefile = read("Makefile");
    for target in ["demo", "test", "setup", "lint", "docs"] {
        assert!(
            makefile.contains(&format!("\n{target}: ")),
            "the Makefile has no `{target}`"
        );
    }
}

#[test]
fn the_playbooks_of_the_readme_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let playbooks = blocks("yaml");
    assert_eq!(playbooks.len(), 2);
    // The second one is a part.
    let rest = "stack: shop\nregion: eu-west-1\nclusters: { main: {} }\nrepositories: { api: {} }\n\
                images: { api: { context: ., repository: api } }\n\
                outputs: { url: '{{ services.api.url }}' }\n";
    for playbook in [playbooks[0].clone(), format!("{rest}{}", playbooks[1])] {
        std::fs::write(folder.path().join("my-server.yml"), playbook).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_tidewalk"))
            .args(["check", "my-server.yml"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
