//! Declarations, `for_each`, includes, references, and the schema for editors.

use std::fs;

use serde_json::{Value as Json, json};
use tidewalk::base::{Address, Outputs, World};
use tidewalk::playbook::{Facts, How, schema};

use super::sections::sections;
use super::{Folder, SITE, evaluated, references};

#[test]
fn a_playbook_is_read_with_settings_types_and_references() {
    let playbook = Folder::new(SITE).load();
    assert_eq!(playbook.stack, "site");
    assert_eq!(playbook.account.as_deref(), Some("012345678901"));
    assert_eq!(
        playbook.lease.map(|lease| lease.as_secs()),
        Some(30 * 86_400)
    );
    assert_eq!(playbook.limits["instances"].0, 5);
    assert_eq!(playbook.tags["Owner"], "ana");
    assert_eq!(playbook.tags["Where"], "site/eu-west-1");
    let server = &playbook.declarations[&"instances.server".parse::<Address>().unwrap()];
    assert!(server.protect && !server.keep);
    assert_eq!(server.tags["Owner"], "bob");
    assert_eq!((server.at.line, server.at.column), (22, 3));
    let spec = evaluated(&playbook, "instances.server", &World::default()).to_json();
    assert_eq!(spec["root_volume"]["size_gib"], json!(30));
    assert_eq!(spec["security_groups"], json!(["web", "shared-group"]));
    assert!(spec.get("protect").is_none() && spec.get("tags").is_none());
    assert_eq!(
        references(&playbook, "instances.server"),
        [
            ("key_pairs.de3".to_owned(), How::Typed, true, false),
            ("security_groups.web".to_owned(), How::Typed, true, false),
            (
                "security_groups.shared-group".to_owned(),
                How::Typed,
                false,
                false
            ),
        ]
    );
    assert_eq!(
        references(&playbook, "elastic_ips.my-box"),
        [("instances.server".to_owned(), How::Typed, true, true)]
    );
    assert_eq!(
        references(&playbook, "checks.web"),
        [
            (
                "elastic_ips.my-box".to_owned(),
                How::Expression,
                true,
                false
            ),
            ("instances.server".to_owned(), How::DependsOn, true, false),
        ]
    );
}

#[test]
fn for_each_makes_one_resource_for_each_item() {
    let playbook = Folder::new(
        "
stack: site
vars: { students: { default: { ana: { type: t3a.small }, b-c: { type: t3a.large } } } }
instances:
  node:
    for_each: '{{ vars.students }}'
    ami: { ubuntu: '22.04' }
    instance_type: '{{ each.value.type }}'
    tags: { Student: '{{ each.key }}' }
elastic_ips:
  plain:
    for_each: [ana, b-c]
    instance: 'node[{{ each.key }}]'
  one: { instance: 'node[b-c]' }
outputs:
  one: '{{ instances.node.b-c.public_ip }}'
  other: '{{ instances[\"node\"][\"ana\"].public_ip }}'
  all: '{% for name, node in instances.node | items %}{{ name }}={{ node.public_ip }} {% endfor %}'
",
    )
    .load();
    let addresses: Vec<_> = playbook
        .declarations
        .keys()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        addresses,
        [
            "instances.node[ana]",
            "instances.node[b-c]",
            "elastic_ips.plain[ana]",
            "elastic_ips.plain[b-c]",
            "elastic_ips.one"
        ]
    );
    let second = &playbook.declarations[1];
    assert_eq!(second.tags["Student"], "b-c");
    let spec = evaluated(&playbook, "instances.node[b-c]", &World::default());
    assert_eq!(spec.to_json()["instance_type"], json!("t3a.large"));
    assert_eq!(
        references(&playbook, "elastic_ips.plain[ana]"),
        [("instances.node[ana]".to_owned(), How::Typed, true, true)]
    );
    let mut world = World::default();
    for (key, ip) in [("ana", "192.0.2.1"), ("b-c", "192.0.2.2")] {
        let outputs = Outputs::default().with("public_ip", ip);
        world.know(Address::new("instances", format!("node[{key}]")), outputs);
    }
    let outputs = playbook
        .evaluate_outputs(&world, &Facts::default())
        .unwrap();
    assert_eq!(outputs["one"].as_text(), Some("192.0.2.2"));
    assert_eq!(outputs["other"].as_text(), Some("192.0.2.1"));
    assert_eq!(
        outputs["all"].as_text(),
        Some("ana=192.0.2.1 b-c=192.0.2.2 ")
    );
}

#[test]
fn included_files_are_merged_once_and_their_paths_start_beside_them() {
    let folder = Folder::new(
        "
include: [parts/network.yml, parts/hosts.yml]
stack: site
",
    )
    .with(
        "parts/network.yml",
        "vars: { zone: example.org }\nelastic_ips: { a: {} }\n",
    )
    .with(
        "parts/hosts.yml",
        "
include: network.yml
hosts:
  web:
    instance: i-1
    operations:
      - file: { path: /etc/motd, content: '{{ file(\"parts/motd\") }}' }
      - template: { source: zone.j2, path: /etc/zone }
",
    )
    .with("parts/motd", "hello\n")
    .with(
        "parts/templates/zone.j2",
        "{{ vars.zone }} {{ elastic_ips.a.public_ip }}\n",
    );
    let playbook = folder.load();
    assert_eq!(playbook.declarations.len(), 2);
    let host = evaluated(&playbook, "hosts.web", &World::default());
    assert_eq!(
        host.to_json()["operations"][0]["file"]["content"],
        json!("hello\n")
    );
    assert_eq!(
        references(&playbook, "hosts.web")
            .into_iter()
            .filter(|(target, ..)| target == "elastic_ips.a")
            .collect::<Vec<_>>(),
        [("elastic_ips.a".to_owned(), How::Expression, true, false)]
    );
}

#[test]
fn anchors_and_merge_keys_work_and_keep_their_places() {
    let playbook = Folder::new(
        "
stack: site
instances:
  a: &base
    ami: { ubuntu: '22.04' }
    instance_type: t3a.small
  b: { <<: *base, instance_type: t3a.large }
  c: *base
",
    )
    .load();
    let spec = |name: &str| evaluated(&playbook, name, &World::default()).to_json();
    assert_eq!(spec("instances.b")["ami"], json!({ "ubuntu": "22.04" }));
    assert_eq!(spec("instances.b")["instance_type"], json!("t3a.large"));
    assert_eq!(spec("instances.c"), spec("instances.a"));
}

#[test]
fn the_schema_takes_good_playbooks_and_refuses_unknown_keys() {
    let schema = schema(&sections());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let read = |text: &str| -> Json {
        let folder = Folder::new(text);
        let text = fs::read_to_string(folder.0.path().join("site.yml")).unwrap();
        serde_saphyr::from_str(&text).unwrap()
    };
    let good = read(SITE);
    let wrong: Vec<_> = validator
        .iter_errors(&good)
        .map(|error| error.to_string())
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let expression = "stack: s\ninstances: { a: { ami: '{{ vars.a }}', instance_type: x, root_volume: { size_gib: '{{ vars.s }}' }, for_each: [a] } }\n";
    assert!(validator.is_valid(&read(expression)));
    for bad in [
        "instance: {}\n",
        "instances: { a: { ami: { ubuntu: x }, instance_type: t, sise: 1 } }\n",
        "instances: { a: { ami: { ubuntu: x }, instance_type: t, root_volume: { size_gib: large } } }\n",
    ] {
        assert!(!validator.is_valid(&read(bad)), "{bad}");
    }
    let text = schema.to_string();
    assert!(!text.contains("$ref") && !text.contains("$defs"));
}
