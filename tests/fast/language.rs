//! What playbooks mean: variables, expressions, `for_each`, includes, references, templates.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tidewalk::base::{Address, Errors, Known, Node, Outputs, Value, World};
use tidewalk::playbook::{Facts, How, LoadOptions, Playbook, Section, schema};

/// A key pair.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct KeyPairSpec {
    /// File with the public key
    public_key: Option<String>,
}

/// A group of rules.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct SecurityGroupSpec {
    /// What the group is for
    description: String,
    #[serde(default)]
    ingress: Vec<Rule>,
    #[serde(default)]
    egress: Vec<Rule>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Rule {
    /// Ports to open
    ports: Ports,
    /// Who may come in: a CIDR, `me`, `anywhere`
    from: String,
}

#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Ports {
    One(u16),
    Many(Vec<u16>),
    Range(String),
}

/// A virtual machine.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct InstanceSpec {
    /// Image to start from
    ami: Ami,
    /// Size of the machine
    instance_type: String,
    #[schemars(extend("x-kind" = "key_pairs"))]
    key_pair: Option<String>,
    #[serde(default)]
    security_groups: Vec<GroupName>,
    root_volume: Option<RootVolume>,
    user_data: Option<String>,
    state: Option<State>,
    termination_protection: Option<bool>,
}

#[derive(JsonSchema, Deserialize)]
#[schemars(extend("x-kind" = "security_groups"))]
#[serde(transparent)]
#[expect(dead_code, reason = "only its schema is used")]
struct GroupName(String);

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Ami {
    Ubuntu(String),
    Debian(String),
    AmazonLinux(String),
    Id(String),
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct RootVolume {
    size_gib: Option<u32>,
    encrypted: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<VolumeType>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
enum VolumeType {
    Gp2,
    Gp3,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Running,
    Stopped,
}

/// A fixed public address.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct ElasticIpSpec {
    #[schemars(extend("x-kind" = "instances", "x-attaches" = true))]
    instance: Option<String>,
}

/// What is on a host.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct HostSpec {
    #[schemars(extend("x-kind" = "instances"))]
    instance: Option<String>,
    user: Option<String>,
    #[serde(default)]
    operations: Vec<Operation>,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
enum Operation {
    Packages(Vec<String>),
    File(File),
    Template(Template),
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct File {
    path: String,
    content: String,
}

#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct Template {
    #[schemars(extend("x-template" = true))]
    source: String,
    path: String,
    vars: Option<BTreeMap<String, Json>>,
}

/// A look at the result.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct CheckSpec {
    http: Option<String>,
    tcp: Option<String>,
    status: Option<u16>,
    contains: Option<String>,
    within: Option<String>,
}

fn section<T: JsonSchema>(name: &'static str) -> Section {
    let generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator();
    Section {
        name,
        schema: generator.into_root_schema_for::<T>(),
    }
}

/// Sections with the names and fields of the real ones.
pub(crate) fn sections() -> Vec<Section> {
    vec![
        section::<KeyPairSpec>("key_pairs"),
        section::<SecurityGroupSpec>("security_groups"),
        section::<InstanceSpec>("instances"),
        section::<ElasticIpSpec>("elastic_ips"),
        section::<HostSpec>("hosts"),
        section::<CheckSpec>("checks"),
    ]
}

/// Errors as plain text.
pub(crate) fn plain(errors: &Errors) -> String {
    let mut text = String::new();
    for error in &errors.0 {
        text.push_str(&format!("error: {}\n", error.message()));
        if let Some(at) = error.location() {
            text.push_str(&format!("  --> {at}"));
            if at.length > 0 {
                text.push_str(&format!(" (+{})", at.length));
            }
            text.push('\n');
        }
        for note in error.notes() {
            text.push_str(&format!("  = {note}\n"));
        }
        for hint in error.hints() {
            text.push_str(&format!("help: {hint}\n"));
        }
    }
    text
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
fn variables_come_from_the_command_line_files_environment_and_defaults() {
    let folder = Folder::new(
        "
stack: site
vars: { a: default, b: default, c: default, d: default, count: 1, list: [], id: { type: text }, version: {} }
outputs: { all: '{{ vars.a }} {{ vars.b }} {{ vars.c }} {{ vars.d }}', count: '{{ vars.count }}', list: '{{ vars.list }}', id: '{{ vars.id }}', version: '{{ vars.version }}' }
",
    )
    .with("vars.yml", "a: file\nb: file\n");
    let mut options = Folder::options();
    for name in ["a", "b", "c"] {
        options
            .env
            .insert(format!("TIDEWALK_VAR_{name}"), "env".to_owned());
    }
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
    assert_eq!(output(&playbook, "count"), json!(7));
    assert_eq!(output(&playbook, "list"), json!(["x", 2]));
    assert_eq!(output(&playbook, "id"), json!("012"));
    assert_eq!(output(&playbook, "version"), json!("1.10"));

    options.vars.push(("cuont".to_owned(), "1".to_owned()));
    options.vars.push(("count".to_owned(), "many".to_owned()));
    let folder = folder.with("vars.yml", "a: 5\nbb: 1\nlist: 3\n");
    insta_like(
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
  = declared at site.yml:3:57
",
    );
}

#[track_caller]
fn insta_like(found: &str, expected: &str) {
    assert_eq!(found.trim(), expected.trim(), "\n--- found\n{found}");
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
        "listen {{ vars.port }} {{ vars.name }} {{ extra }};\n{% include 'part.j2' %}",
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
    let extra = json!({ "extra": "x", "vars": { "name": "own", "port": 81 } });
    let render = |world: &World, extra: &Json| {
        playbook.render_template(declaration, world, &Facts::default(), source, extra)
    };
    let waiting = render(&World::default(), &extra).unwrap();
    assert!(matches!(waiting.value, Value::AfterApply(_)));
    let mut world = World::default();
    let address = Address::new("elastic_ips", "my-box");
    world.know(address, Outputs::default().with("public_ip", "192.0.2.7"));
    let text = render(&world, &extra).unwrap();
    assert_eq!(text.as_text(), Some("listen 81 own x;\nip 192.0.2.7\n"));
    let error = render(&world, &json!({ "vars": { "name": "own" } })).unwrap_err();
    let at = error.location().unwrap();
    assert!(at.source.path.ends_with("templates/site.j2"), "{error:?}");
    assert_eq!((at.line, at.column), (1, 43), "{error:?}");
    let found = playbook.file(&Node::new(&source.at, Value::Text("site.j2".to_owned())));
    assert!(found.unwrap().starts_with(b"listen"));
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
    insta_like(
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
fn a_loop_without_end_is_stopped() {
    let folder = Folder::new(
        "
stack: site
outputs:
  long: '{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}x'
",
    );
    let refused = folder.refused(&Folder::options());
    assert!(refused.contains("runs for too long"), "{refused}");
}

#[test]
fn deep_values_and_deep_expressions_do_not_overflow() {
    let deep = format!("{}x{}", "[".repeat(97), "]".repeat(97));
    let text = format!("stack: site\noutputs: {{ deep: {deep} }}\n");
    let playbook = Folder::new(&text).load();
    assert!(output(&playbook, "deep").is_array());
    for (open, close) in [("(", ")"), ("[", "]"), ("not ", "")] {
        let deep = format!("{}1{}", open.repeat(5000), close.repeat(5000));
        let text = format!("stack: site\noutputs: {{ deep: '{{{{ {deep} }}}}' }}\n");
        let refused = Folder::new(&text).refused(&Folder::options());
        assert!(refused.contains("site.yml:2"), "{refused}");
    }
}

#[test]
fn a_long_chain_of_references_is_walked() {
    let mut text = "stack: site\nelastic_ips:\n  n0: {}\n".to_owned();
    for index in 1..20_000 {
        let line = format!("  n{index}: {{ depends_on: elastic_ips.n{} }}\n", index - 1);
        text.push_str(&line);
    }
    assert_eq!(Folder::new(&text).load().declarations.len(), 20_000);
}

#[test]
fn fifty_thousand_items_load_in_seconds() {
    let mut text = "stack: site\nkey_pairs: { de3: {} }\ninstances:\n".to_owned();
    for index in 0..50_000 {
        let line = format!(
            "  n{index}: {{ ami: {{ id: a }}, instance_type: t3a, key_pair: de3, user_data: '{{{{stack}}}}' }}\n"
        );
        text.push_str(&line);
    }
    let start = std::time::Instant::now();
    let playbook = Folder::new(&text).try_load(&Folder::options());
    let took = start.elapsed();
    match playbook {
        Ok(playbook) => assert_eq!(playbook.declarations.len(), 50_001),
        Err(errors) => panic!("{errors}"),
    }
    assert!(took.as_secs() < 60, "took {took:?}");
}

/// A small generator of numbers that look random: the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

#[test]
fn damaged_playbooks_are_refused_without_a_panic() {
    let mut numbers = Numbers(0x5eed_1234_abcd_0001);
    let pieces: Vec<&[u8]> = vec![
        b"{{",
        b"}}",
        b"{%",
        b"%}",
        b"\"",
        b"'",
        b": ",
        b"\n",
        b"- ",
        b"&a ",
        b"*a",
        b"<<: ",
        b"\t",
        b"\xff",
        b"|\n",
        b"[",
        b"]",
        b"{",
        b"}",
        b"---\n",
        b"# ",
        b"!x ",
        b"\xc3\xa9",
        b"elastic_ips.my-box",
        b"{{ vars.",
        b"for_each: ",
        b"\\",
        b"include: site.yml\n",
        b"\0",
    ];
    let folder = Folder::new("");
    let sections = sections();
    for _ in 0..400 {
        let mut bytes = SITE.as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(bytes.len());
            match numbers.below(3) {
                0 => drop(bytes.drain(at..(at + numbers.below(40)).min(bytes.len()))),
                _ => {
                    let piece = pieces[numbers.below(pieces.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        let path: &Path = &folder.0.path().join("site.yml");
        fs::write(path, &bytes).unwrap();
        if let Err(errors) = Playbook::load(path, &Folder::options(), &sections) {
            assert!(!plain(&errors).is_empty());
        }
    }
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
