//! What playbooks mean: variables, expressions, `for_each`, includes, references, templates.
#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

mod answers;
mod expressions;
mod limits;
mod resources;
pub(crate) mod sections;
mod setups;
mod variables;

use std::fs;

use serde_json::Value as Json;
use tempfile::TempDir;
use tidewalk::base::{Address, Errors, Node, World};
use tidewalk::playbook::{Facts, How, LoadOptions, Playbook};

use sections::sections;

/// Errors as plain text.
pub(crate) fn plain(errors: &Errors) -> String {
    let mut lines = Vec::new();
    for error in &errors.0 {
        lines.push(format!("error: {}", error.message()));
        if let Some(at) = error.location() {
            let length = match at.length {
                0 => String::new(),
                length => format!(" (+{length})"),
            };
            lines.push(format!("  --> {at}{length}"));
        }
        lines.extend(error.notes().iter().map(|note| format!("  = {note}")));
        lines.extend(error.hints().iter().map(|hint| format!("help: {hint}")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A folder with files in it, to load a playbook from.
struct Folder(TempDir);

impl Folder {
    fn new(playbook: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.with("site.yml", playbook)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn options() -> LoadOptions {
        let env = [("USER", "ana"), ("HOME", "/home/ana")];
        LoadOptions {
            env: env
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            ..LoadOptions::default()
        }
    }

    fn try_load(&self, options: &LoadOptions) -> Result<Playbook, String> {
        let own = format!("{}/", self.0.path().display());
        Playbook::load(&self.0.path().join("site.yml"), options, &sections())
            .map_err(|errors| plain(&errors).replace(&own, ""))
    }

    #[track_caller]
    fn load(&self) -> Playbook {
        self.try_load(&Self::options())
            .unwrap_or_else(|errors| panic!("{errors}"))
    }

    #[track_caller]
    fn refused(&self, options: &LoadOptions) -> String {
        match self.try_load(options) {
            Ok(_) => panic!("it loaded"),
            Err(errors) => errors,
        }
    }
}

#[track_caller]
fn evaluated(playbook: &Playbook, address: &str, world: &World) -> Node {
    let declaration = &playbook.declarations[&address.parse::<Address>().unwrap()];
    playbook
        .evaluate(declaration, world, &Facts::default())
        .unwrap_or_else(|errors| panic!("{}", plain(&errors)))
}

#[track_caller]
fn output(playbook: &Playbook, name: &str) -> Json {
    let outputs = playbook.evaluate_outputs(&World::default(), &Facts::default());
    outputs.unwrap_or_else(|errors| panic!("{}", plain(&errors)))[name].to_shown_json()
}

fn references(playbook: &Playbook, address: &str) -> Vec<(String, How, bool, bool)> {
    playbook.declarations[&address.parse::<Address>().unwrap()]
        .references
        .iter()
        .map(|one| (one.target.to_string(), one.how, one.declared, one.attaches))
        .collect()
}

#[track_caller]
fn same(found: &str, expected: &str) {
    assert_eq!(found.trim(), expected.trim(), "\n--- found\n{found}");
}

/// One of everything.
const SITE: &str = "
stack: site
account: '012345678901'
region: eu-west-1
tags: { Class: DE3, Owner: '{{ env.USER }}', Where: '{{ stack }}/{{ region }}' }
lease: 30d
limits: { instances: 5 }
vars:
  size: 30
  groups: [web, shared-group]
  on: yes
key_pairs:
  de3: {}
security_groups:
  web:
    description: Web
    ingress:
      - { ports: 22, from: me }
      - { ports: [80, 443], from: anywhere }
      - { ports: 8000-8010, from: anywhere }
instances:
  server:
    ami: { ubuntu: '22.04' }
    instance_type: t3a.small
    key_pair: de3
    security_groups: '{{ vars.groups }}'
    root_volume: { size_gib: '{{ vars.size }}', type: gp3 }
    state: stopped
    protect: true
    tags: { Owner: bob }
elastic_ips:
  my-box: { instance: server }
checks:
  web:
    http: 'http://{{ elastic_ips.my-box.public_ip }}/'
    status: 200
    depends_on: instances.server
";
