//! Resources that are made anew while others use them.

use crate::harness::Beach;
use crate::life::{NODE, plan};

const APPLY: [&str; 4] = ["apply", "node.yml", "--sandbox", "--yes"];

#[test]
fn a_security_group_in_use_is_made_anew() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(0, &APPLY);
    beach.write(
        "node.yml",
        &NODE.replace("description: life", "description: new"),
    );
    let planned = plan(&beach, 3);
    for expected in ["makes it anew", "~ instances.server"] {
        assert!(planned.stdout.contains(expected), "{}", planned.stdout);
    }
    let alone = ["--only", "security_groups.life"];
    let refused = beach.expect(2, &[&APPLY[..], &alone].concat());
    let help = "add `--only instances.server`";
    assert!(refused.stderr.contains(help), "{}", refused.stderr);
    beach.expect(0, &APPLY);
    plan(&beach, 0);
    assert_eq!(beach.census("eu-west-1"), [1, 1, 1, 1]);
    beach.expect(0, &["destroy", "node.yml", "--sandbox", "--yes"]);
}

#[test]
fn a_security_group_that_an_instance_holds_is_not_waited_for() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(0, &APPLY);
    let alone = ["--only", "security_groups.life"];
    let held = beach.expect(
        1,
        &[&["destroy", "node.yml", "--sandbox", "--yes"][..], &alone].concat(),
    );
    assert!(held.stderr.contains("held by: eni-"), "{}", held.stderr);
    plan(&beach, 0);
}

#[test]
fn an_instance_with_an_address_is_made_anew() {
    let beach = Beach::without_hosts();
    beach.write("node.yml", NODE);
    beach.expect(0, &APPLY);
    let other = NODE.replace(
        "    key_pair: life\n",
        "    key_pair: life\n    user_data: \"#!/bin/sh\\n\"\n",
    );
    beach.write("node.yml", &other);
    let planned = plan(&beach, 3);
    for expected in ["-/+ instances.server", "~ elastic_ips.server"] {
        assert!(planned.stdout.contains(expected), "{}", planned.stdout);
    }
    beach.expect(0, &APPLY);
    plan(&beach, 0);
    assert_eq!(beach.census("eu-west-1"), [1, 1, 1, 1]);
}

#[test]
fn a_list_shrinks_and_grows_in_the_middle() {
    let beach = Beach::without_hosts();
    let fleet = |names: &str| {
        let text = NODE.replace(
            "  server:\n    ami",
            &format!("  server:\n    for_each: [{names}]\n    ami"),
        );
        beach.write("node.yml", &text[..text.find("elastic_ips").unwrap()]);
    };
    fleet("a, b, c");
    beach.expect(0, &APPLY);
    fleet("a, c, d");
    let planned = plan(&beach, 3);
    let summary = "1 to create, 0 to change, 0 to replace, 1 to delete";
    assert!(planned.stdout.contains(summary), "{}", planned.stdout);
    beach.expect(0, &APPLY);
    plan(&beach, 0);
    assert_eq!(beach.census("eu-west-1")[0], 3);
    // Without the playbook, a name means all that was made of it.
    let gone = [
        "destroy",
        "--stack",
        "life",
        "--region",
        "eu-west-1",
        "--sandbox",
        "--yes",
    ];
    let whole = [&gone[..], &["--only", "instances.server"]].concat();
    beach.expect(0, &whole);
    assert_eq!(beach.census("eu-west-1"), [0, 1, 0, 1]);
    let unknown = [&gone[..], &["--only", "security_groups.lifes"]].concat();
    let refused = beach.expect(2, &unknown);
    assert!(
        refused.stderr.contains("security_groups.life"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_renamed_group_says_who_has_its_name_and_what_to_do() {
    let beach = Beach::without_hosts();
    let text = "stack: life\nregion: eu-west-1\nsecurity_groups:\n  web: { name: web }\n";
    beach.write("node.yml", text);
    beach.expect(0, &APPLY);
    beach.write("node.yml", &text.replace("  web:", "  front:"));
    let refused = beach.expect(1, &APPLY);
    let told = "belongs to security_groups.web of stack `life`";
    assert!(refused.stderr.contains(told), "{}", refused.stderr);
    let destroy = ["destroy", "node.yml", "--sandbox", "--yes"];
    let one = [&destroy[..], &["--only", "security_groups.web"]].concat();
    assert!(
        refused.stderr.contains("--only security_groups.web"),
        "{}",
        refused.stderr
    );
    beach.expect(0, &one);
    beach.expect(0, &APPLY);
    plan(&beach, 0);
}
