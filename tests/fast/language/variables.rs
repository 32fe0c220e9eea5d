//! Where variables get their values, and what becomes of secrets.

use serde_json::json;
use tidewalk::base::World;

use super::{Folder, evaluated, output, same};

#[test]
fn variables_come_from_the_command_line_files_environment_and_defaults() {
    let folder = Folder::new(
        "
stack: site
vars: { a-b: default, a: default, b: default, c: default, d: default, count: 1, list: [], id: { type: text }, version: {} }
outputs: { hyphen: '{{ vars.a-b }}', all: '{{ vars.a }} {{ vars.b }} {{ vars.c }} {{ vars.d }}', count: '{{ vars.count }}', list: '{{ vars.list }}', id: '{{ vars.id }}', version: '{{ vars.version }}' }
",
    )
    .with("vars.yml", "a: file\nb: file\n");
    let mut options = Folder::options();
    for name in ["a", "b", "c"] {
        options
            .env
            .insert(format!("TIDEWALK_VAR_{name}"), "env".to_owned());
    }
    let hyphen = ("TIDEWALK_VAR_A_B".to_owned(), "upper".to_owned());
    options.env.extend([hyphen]);
    options.vars_files.push(folder.0.path().join("vars.yml"));
    let typed = [
        ("a", "typed"),
        ("count", "7"),
        ("list", "[x, 2]"),
        ("id", "012"),
        ("version", "1.10"),
    ];
    options.vars = typed
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let playbook = folder.try_load(&options).unwrap();
    assert_eq!(output(&playbook, "all"), json!("typed file env default"));
    assert_eq!(output(&playbook, "hyphen"), json!("upper"));
    assert_eq!(output(&playbook, "count"), json!(7));
    assert_eq!(output(&playbook, "list"), json!(["x", 2]));
    assert_eq!(output(&playbook, "id"), json!("012"));
    assert_eq!(output(&playbook, "version"), json!("1.10"));

    options.vars.push(("cuont".to_owned(), "1".to_owned()));
    options.vars.push(("count".to_owned(), "many".to_owned()));
    let folder = folder.with("vars.yml", "a: 5\nbb: 1\nlist: 3\n");
    same(
        &folder.refused(&options),
        "
error: the playbook declares no variable `bb`
  --> vars.yml:2:1 (+2)
help: did you mean `b`?
error: the playbook declares no variable `cuont`
  --> --var cuont
help: did you mean `count`?
error: the variable `count` is a number, this is text
  --> --var count
  = declared at site.yml:3:71
",
    );
}

#[test]
fn secrets_mark_what_is_made_from_them() {
    let folder = Folder::new(
        "
stack: site
vars: { password: { secret: true }, host: db }
outputs:
  url: 'postgres://me:{{ vars.password }}@{{ vars.host }}'
  host: '{{ vars.host }}'
hosts:
  web:
    instance: i-1
    operations:
      - file: { path: /etc/url, content: '{{ vars.password }}' }
",
    );
    let mut options = Folder::options();
    let password = "12345-language-test";
    options
        .env
        .insert("TIDEWALK_VAR_password".to_owned(), password.to_owned());
    let playbook = folder.try_load(&options).unwrap();
    assert_eq!(output(&playbook, "url"), json!("•••"));
    assert_eq!(output(&playbook, "host"), json!("db"));
    assert!(evaluated(&playbook, "hosts.web", &World::default()).has_secret());
    assert_eq!(tidewalk::base::secret::redact(password), "•••");
    options
        .vars
        .push(("password".to_owned(), "other-language-test".to_owned()));
    let refused = folder.refused(&options);
    assert!(
        refused.contains("cannot be given on the command line"),
        "{refused}"
    );
    assert!(!refused.contains("other-language-test"), "{refused}");
}
