//! Setups, and operations with `for_each` and `when`.

use serde_json::{Value as Json, json};
use tidewalk::base::{Address, Known, Node, Outputs, World};
use tidewalk::playbook::{Facts, Playbook};

use super::{Folder, evaluated, references};

const SITE: &str = "
stack: site
region: eu-west-1
vars: { port: 80, colour: blue }
instances: { box: { ami: { debian: '12' }, instance_type: t3.micro } }
hosts:
  web:
    instance: box
    setups:
      - greet: { port: '{{ vars.port + 1 }}', address: '{{ instances.box.private_ip }}' }
      - plain
    operations:
      - packages: ['{{ vars.colour }}']
";
const GREET: &str = "
about: Greets
vars:
  colour: red
  port: { description: TCP port }
  address: { description: Where }
  text: { default: '{{ vars.colour }} on {{ vars.port }}' }
operations:
  - file: { path: /greeting, content: '{{ vars.text }} of {{ stack }}' }
  - template: { source: greet.j2, path: /page }
";

fn site() -> Folder {
    Folder::new(SITE)
        .with("setups/greet.yml", GREET)
        .with("setups/plain.yml", "operations: [{ packages: [plain] }]")
        .with("setups/greet.j2", "{{ vars.colour }}: {{ vars.address }}")
}

fn operations(playbook: &Playbook, world: &World) -> Json {
    evaluated(playbook, "hosts.web", world)
        .entry("operations")
        .map_or(Json::Null, Node::to_json)
}

fn world() -> World {
    let known = Known {
        outputs: Some(Outputs::default().with("private_ip", "10.0.0.4")),
        ..Known::default()
    };
    World([(Address::new("instances", "box"), known)].into())
}

#[test]
fn a_setup_sees_its_own_variables_and_comes_before_the_hosts_own_operations() {
    let folder = site();
    let playbook = folder.load();
    let wanted = json!([
        { "file": { "path": "/greeting", "content": "red on 81 of site" } },
        { "template": { "source": "greet.j2", "path": "/page" } },
        { "packages": ["plain"] },
        { "packages": ["blue"] },
    ]);
    assert_eq!(operations(&playbook, &World::default()), wanted);
    // What a variable is made from is a reference like any other.
    let names: Vec<_> = references(&playbook, "hosts.web")
        .into_iter()
        .map(|(target, ..)| target)
        .collect();
    assert!(names.contains(&"instances.box".to_owned()), "{names:?}");
}

#[test]
fn a_template_of_a_setup_sees_the_setups_variables() {
    let folder = site();
    let playbook = folder.load();
    let declaration = &playbook.declarations[&Address::new("hosts", "web")];
    let render = |world: &World| {
        let node = evaluated(&playbook, "hosts.web", world);
        let template = &node.entry("operations").unwrap().as_list().unwrap()[1];
        let source = template.entry("template").unwrap().entry("source").unwrap();
        let facts = Facts::default();
        playbook
            .render_template(declaration, world, &facts, source, &json!({}))
            .unwrap()
    };
    assert_eq!(render(&world()).as_text(), Some("red: 10.0.0.4"));
    assert!(render(&World::default()).has_unknown());
}

#[test]
fn a_template_of_a_setup_may_not_read_the_playbooks_variables() {
    let folder = site().with("setups/greet.j2", "{{ vars.colours }}");
    let refused = folder.refused(&Folder::options());
    assert!(
        refused.contains("the variable `colours` is not declared"),
        "{refused}"
    );
    let folder = Folder::new(&SITE.replace("colour", "own")).with("setups/greet.yml", GREET);
    let folder = folder
        .with(
            "setups/plain.yml",
            "operations: [{ packages: ['{{ vars.own }}'] }]",
        )
        .with("setups/greet.j2", "");
    let refused = folder.refused(&Folder::options());
    assert!(
        refused.contains("the variable `own` is not declared\n  --> setups/plain.yml:1"),
        "{refused}"
    );
}

#[test]
fn an_operation_is_made_for_each_item_and_only_when_it_is_wanted() {
    let own = "
      - packages: ['{{ each.value }}']
        for_each: [a, b]
      - file: { path: '/{{ each.key }}', content: '{{ each.value.text }}' }
        for_each: { x: { text: one }, y: { text: two } }
        when: '{{ each.key == \"y\" }}'
      - packages: [never]
        when: false
      - packages: ['{{ each.value.name }}']
        for_each: [{ name: first }]
";
    let text = SITE.split("    setups:").next().unwrap().to_owned() + "    operations:" + own;
    let playbook = Folder::new(&text).load();
    let wanted = json!([
        { "packages": ["a"] },
        { "packages": ["b"] },
        { "file": { "path": "/y", "content": "two" } },
        { "packages": ["first"] },
    ]);
    assert_eq!(operations(&playbook, &World::default()), wanted);
}

#[test]
fn what_depends_on_the_apply_is_known_after_it() {
    let own = "
      - packages: ['{{ each.value }}']
        for_each: '{{ instances.box.names }}'
";
    let text = SITE.split("    setups:").next().unwrap().to_owned() + "    operations:" + own;
    let folder = Folder::new(&text);
    let playbook = folder.load();
    let node = evaluated(&playbook, "hosts.web", &World::default());
    let list = node.entry("operations").unwrap().as_list().unwrap();
    assert_eq!(list.len(), 1);
    assert!(list.iter().all(Node::has_unknown), "{list:?}");
    let mut world = world();
    let known = world.0.values_mut().next().unwrap();
    let outputs = known
        .outputs
        .take()
        .unwrap()
        .with("names", json!(["p", "q"]));
    known.outputs = Some(outputs);
    let wanted = json!([{ "packages": ["p"] }, { "packages": ["q"] }]);
    assert_eq!(operations(&playbook, &world), wanted);
}

#[test]
fn the_end_of_a_line_is_part_of_the_text() {
    let own = "\n      - file: { path: /a, content: \"{{ vars.port }}\\n\" }\n";
    let text = SITE.split("    setups:").next().unwrap().to_owned() + "    operations:" + own;
    let playbook = Folder::new(&text).load();
    let wanted = json!([{ "file": { "path": "/a", "content": "80\n" } }]);
    assert_eq!(operations(&playbook, &World::default()), wanted);
}

#[test]
fn a_setup_refuses_what_it_cannot_do_in_its_own_words() {
    let site = "stack: site
region: eu-west-1
hosts:
  web:
    instance: box
    setups:
      - serve: { by: COLOUR }
instances: { box: { ami: { debian: '12' }, instance_type: t3.micro } }
";
    let serve = "
vars:
  by: { description: Server }
  package: { default: \"{{ vars.by if vars.by in ['red', 'blue'] else fail('`by` is red or blue, not ' ~ vars.by) }}\" }
operations: [{ packages: ['{{ vars.package }}'] }]
";
    let of = |colour: &str| {
        let site = site.replace("COLOUR", colour);
        Folder::new(&site).with("setups/serve.yml", serve)
    };
    of("red").load();
    let refused = of("green").refused(&Folder::options());
    assert!(
        refused.contains("`by` is red or blue, not green"),
        "{refused}"
    );
}
