//! Sections with the names and fields of the real ones.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;
use tidewalk::playbook::Section;

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
    #[schemars(extend("x-setups" = true))]
    setups: Option<Vec<Json>>,
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
    let schema = || {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<T>()
    };
    Section {
        name,
        schema: Box::new(schema),
        outputs: &[],
        borrows: &[],
        expand: Box::new(|_, _, _| Ok(None)),
        asks: false,
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
        Section {
            asks: true,
            ..section::<CheckSpec>("questions")
        },
    ]
}
