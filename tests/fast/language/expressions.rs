//! What expressions and templates give, before and after outputs are known.

use serde_json::{Value as Json, json};
use tidewalk::base::{Address, Known, Node, Outputs, Value, World};
use tidewalk::playbook::Facts;

use super::{Folder, SITE, evaluated, output, same};

#[test]
fn outputs_are_unknown_until_the_world_has_them() {
    let playbook = Folder::new(SITE).load();
    let http = |world: &World| {
        evaluated(&playbook, "checks.web", world)
            .entry("http")
            .unwrap()
            .clone()
    };
    let unknown = Value::AfterApply("http://{{ elastic_ips.my-box.public_ip }}/".to_owned());
    assert_eq!(http(&World::default()).value, unknown);
    let address = Address::new("elastic_ips", "my-box");
    let outputs = Outputs::default().with("public_ip", "192.0.2.7");
    let mut world = World::default();
    world.know(address.clone(), outputs.clone());
    assert_eq!(http(&world).as_text(), Some("http://192.0.2.7/"));
    let unsettled = vec!["public_ip".to_owned()];
    world.0.insert(
        address.clone(),
        Known {
            outputs: Some(outputs),
            unsettled,
            ..Known::default()
        },
    );
    assert_eq!(http(&world).value, unknown);
    world.know(
        address,
        Outputs::default().with("allocation_id", "eipalloc-1"),
    );
    let declaration = &playbook.declarations[&Address::new("checks", "web")];
    let errors = playbook
        .evaluate(declaration, &world, &Facts::default())
        .unwrap_err();
    let error = &errors.0[0];
    assert_eq!(
        error.message(),
        "`elastic_ips.my-box` has no output `public_ip`"
    );
    assert_eq!(error.hints(), ["allowed here: `allocation_id`"]);
    assert_eq!(
        error.location().map(|at| (at.line, at.column)),
        Some((35, 22))
    );
}

#[test]
fn expressions_keep_types_and_names_may_have_hyphens() {
    let playbook = Folder::new(
        "
stack: site
vars: { a: 5, b: 3, a-b: hyphen, list: [1, two], map: { default: { k: [true] } }, text: x }
elastic_ips: { my-box: {}, a: {}, a.b: {} }
outputs:
  minus: '{{ vars.a - vars.b }}'
  tight: '{{ vars.a -vars.b }}'
  hyphen: '{{ vars.a-b }}'
  list: '{{ vars.list }}'
  map: '{{ vars.map }}'
  text: 'n={{ vars.a }}'
  joined: \"{{ vars.list | join('-') }}\"
  json: '{{ vars.map | to_json }}'
  encoded: '{{ vars.text | b64encode }}'
  either: \"{{ env.NOTHING | default('none') }}\"
  block: |
    {% for item in vars.list %}
    {{ item }}
    {% endfor %}
  raw: '{% raw %}{{ elastic_ips.nothing }}{% endraw %}'
  go: '{{ \"{{ .Names }}\" }}'
  unknown: '{{ elastic_ips.my-box.public_ip }}'
  dotted: '{{ elastic_ips.a.b.public_ip }}'
  bracket: '{{ elastic_ips[\"my-box\"].public_ip }}'
  none: '{{ none }}'
  yes: yes
  octal: 012
",
    )
    .load();
    let expect = [
        ("minus", json!(2)),
        ("tight", json!(2)),
        ("hyphen", json!("hyphen")),
        ("list", json!([1, "two"])),
        ("map", json!({ "k": [true] })),
        ("text", json!("n=5")),
        ("joined", json!("1-two")),
        ("json", json!("{\"k\":[true]}")),
        ("encoded", json!("eA==")),
        ("either", json!("none")),
        ("block", json!("\n1\n\ntwo\n\n")),
        ("raw", json!("{{ elastic_ips.nothing }}")),
        ("go", json!("{{ .Names }}")),
        ("unknown", json!("(known after apply)")),
        ("dotted", json!("(known after apply)")),
        ("bracket", json!("(known after apply)")),
        ("none", json!(null)),
        ("yes", json!("yes")),
        ("octal", json!("012")),
    ];
    for (name, value) in expect {
        assert_eq!(output(&playbook, name), value, "{name}");
    }
}

#[test]
fn templates_render_with_extra_names_and_wait_for_outputs() {
    let folder = Folder::new(
        "
stack: site
vars: { port: 80 }
elastic_ips: { my-box: {} }
hosts:
  web:
    instance: i-1
    operations:
      - template: { source: site.j2, path: /etc/site, vars: { name: own, port: 81 } }
",
    )
    .with(
        "templates/site.j2",
        "listen {{ port }} {{ name }} {{ vars.port }};\n{% include 'part.j2' %}",
    )
    .with(
        "templates/part.j2",
        "ip {{ elastic_ips.my-box.public_ip }}\n",
    );
    let playbook = folder.load();
    let declaration = &playbook.declarations[&Address::new("hosts", "web")];
    let source = evaluated(&playbook, "hosts.web", &World::default());
    let path = [
        tidewalk::base::node::Step::Key("operations".to_owned()),
        tidewalk::base::node::Step::Index(0),
        tidewalk::base::node::Step::Key("template".to_owned()),
        tidewalk::base::node::Step::Key("source".to_owned()),
    ];
    let source = source.follow(&path);
    let extra = json!({ "name": "own", "port": 81 });
    let render = |world: &World, extra: &Json| {
        playbook.render_template(declaration, world, &Facts::default(), source, extra)
    };
    let waiting = render(&World::default(), &extra).unwrap();
    assert!(matches!(waiting.value, Value::AfterApply(_)));
    let mut world = World::default();
    let address = Address::new("elastic_ips", "my-box");
    world.know(address, Outputs::default().with("public_ip", "192.0.2.7"));
    let text = render(&world, &extra).unwrap();
    assert_eq!(text.as_text(), Some("listen 81 own 80;\nip 192.0.2.7\n"));
    let error = render(&world, &json!({ "port": 81 })).unwrap_err();
    let at = error.location().unwrap();
    assert!(at.source.path.ends_with("templates/site.j2"), "{error:?}");
    assert_eq!((at.line, at.column), (1, 22), "{error:?}");
    let found = playbook.file(&Node::new(&source.at, Value::Text("site.j2".to_owned())));
    assert!(found.unwrap().starts_with(b"listen"));
}

#[test]
fn values_that_are_not_known_hide_only_their_own_errors() {
    let folder = Folder::new(
        "
stack: site
elastic_ips: { a: {} }
security_groups:
  web:
    description: Web
    ingress:
      - { ports: '{{ elastic_ips.a.port }}', from: '{{ elastic_ips.a.cidr }}', to: x }
      - '{{ elastic_ips.a.rule }}'
instances:
  server:
    ami: '{{ elastic_ips.a.ami }}'
    instance_type: '{{ elastic_ips.a.type }}'
    root_volume: { size_gib: '{{ elastic_ips.a.size }}', type: 5 }
",
    );
    same(
        &folder.refused(&Folder::options()),
        "
error: unknown key `to`
  --> site.yml:8:80 (+2)
help: allowed here: `ports`, `from`
error: `5` is not allowed here
  --> site.yml:14:64 (+1)
help: allowed here: `gp2`, `gp3`
",
    );
}

#[test]
fn a_template_whose_own_names_come_later_is_not_faulted() {
    let playbook = "
stack: site
elastic_ips: { a: {} }
hosts:
  web:
    instance: i-1
    operations:
      - template: { source: site.j2, path: /etc/site, vars: VARS }
";
    let load = |vars: &str| {
        Folder::new(&playbook.replace("VARS", vars))
            .with("site.j2", "{{ name }}\n")
            .try_load(&Folder::options())
    };
    assert!(load("'{{ elastic_ips.a.names }}'").is_ok());
    assert!(load("{ name: x }").is_ok());
    let refused = load("{ nam: x }").err().unwrap_or_default();
    assert!(refused.contains("did you mean `nam`?"), "{refused}");
}
