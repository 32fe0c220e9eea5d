//! `for_each` over answers about the account, and files in a folder.

use serde_json::json;
use tidewalk::base::{Address, Outputs, World};
use tidewalk::playbook::{How, LoadOptions};

use super::{Folder, evaluated, output, references, same};

/// What is asked stands below what waits for it, which does not matter.
const SITE: &str = "
stack: site
instances:
  box: { ami: { debian: '12' }, instance_type: t3.micro }
  node:
    for_each: \"{{ questions.team.users | map(attribute='login') }}\"
    ami: { debian: '12' }
    instance_type: t3.micro
    key_pair: '{{ each.key }}'
elastic_ips:
  last: { instance: box, depends_on: [instances.node] }
questions:
  team: { tcp: x }
";

fn answered(logins: &[&str]) -> LoadOptions {
    let users: Vec<_> = logins.iter().map(|it| json!({ "login": it })).collect();
    let mut answers = World::default();
    answers.know(
        Address::new("questions", "team"),
        Outputs::default().with("users", users),
    );
    LoadOptions {
        answers,
        ..Folder::options()
    }
}

fn answered_by_nobody() -> LoadOptions {
    answered(&[])
}

fn nodes(site: &Folder, options: &LoadOptions) -> Vec<String> {
    let playbook = site.try_load(options).unwrap();
    let all = playbook.declarations.keys().map(ToString::to_string);
    all.filter(|it| it.contains("node")).collect()
}

#[test]
fn what_an_answer_makes_is_left_out_until_it_is_answered() {
    let site = Folder::new(SITE);
    let open = site.load();
    assert_eq!(open.asks, [Address::new("questions", "team")]);
    assert_eq!(nodes(&site, &Folder::options()), [""; 0]);

    let answered = answered(&["jane", "joe"]);
    assert_eq!(
        nodes(&site, &answered),
        ["instances.node[jane]", "instances.node[joe]"]
    );
    let playbook = site.try_load(&answered).unwrap();
    assert!(playbook.asks.is_empty());
    let joe = evaluated(&playbook, "instances.node[joe]", &World::default());
    assert_eq!(joe.to_json()["key_pair"], "joe");
    // Of what `for_each` makes, `depends_on` names all.
    let on = references(&playbook, "elastic_ips.last");
    let on: Vec<_> = on.iter().filter(|it| it.1 == How::DependsOn).collect();
    assert_eq!(on[0].0, "instances.node[jane]");
    assert_eq!(on.len(), 2);
    let nobody = answered_by_nobody();
    assert_eq!(nodes(&site, &nobody), [""; 0]);
    assert!(site.try_load(&nobody).unwrap().asks.is_empty());
}

#[test]
fn a_member_may_be_named_before_it_is_known_who_is_there() {
    let named = format!("{SITE}outputs: {{ jane: '{{{{ instances.node.jane.id }}}}' }}\n");
    let site = Folder::new(&named);
    site.load();
    let gone = site.refused(&answered(&["joe"]));
    assert!(gone.contains("`instances.node` has no `jane`"), "{gone}");
}

#[test]
fn a_wrong_question_is_told_at_once() {
    let typo = SITE.replace("questions.team.users", "questions.taem.users");
    same(
        &Folder::new(&typo).refused(&Folder::options()),
        "
error: `questions.taem` is not declared
  --> site.yml:6:19 (+20)
help: did you mean `team`?
",
    );
    let resource = SITE.replace("questions.team.users", "instances.box.users");
    let refused = Folder::new(&resource).refused(&Folder::options());
    assert!(
        refused.contains("`instances` cannot be read here"),
        "{refused}"
    );
    // A wrong body is found without an answer.
    let wrong = SITE.replace("key_pair: '{{ each.key }}'", "key_piar: a");
    let refused = Folder::new(&wrong).refused(&Folder::options());
    assert!(refused.contains("key_piar"), "{refused}");
}

#[test]
fn the_files_of_a_folder_are_listed_by_their_paths() {
    let site = Folder::new("stack: site\noutputs: { all: \"{{ files('jobs') }}\", text: \"{{ file('jobs/b.xml') }}\" }\n")
        .with("jobs/b.xml", "b")
        .with("jobs/a/config.xml", "a")
        .with("jobs/.hidden", "");
    let playbook = site.load();
    assert_eq!(output(&playbook, "all"), json!(["a/config.xml", "b.xml"]));
    assert_eq!(output(&playbook, "text"), json!("b"));
    let none = Folder::new("stack: site\noutputs: { all: \"{{ files('jobs') }}\" }\n");
    let refused = none.refused(&Folder::options());
    assert!(refused.contains("no such folder: `jobs`"), "{refused}");
}
