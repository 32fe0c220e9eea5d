//! A container of a task: as the playbook has it, as ECS takes it, and as both can be compared.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::is_name;
use crate::base::node::Step;
use crate::base::{Address, World};
use crate::resources::one_or_many::OneOrMany;
use crate::resources::reference::{LogGroupName, ParameterName, SecretName};

mod sdk;

pub(in crate::resources) use sdk::{definition, told};

/// What a container is, by field, in the same words for what is wanted and what is there.
pub(in crate::resources) type Facts = BTreeMap<String, String>;

/// What stands for what another resource tells only once it was made.
pub(in crate::resources) const LATER: &str = "(known after apply)";

/// A container of a task.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Container {
    /// The image: one under `images`, which is pinned by its digest; or any other, with its repository
    /// and tag or digest
    pub image: String,
    /// TCP port that it listens on, or a list of them
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub port: OneOrMany<u16>,
    /// What it runs, in words; without it, what the image says
    #[serde(default)]
    pub command: Vec<String>,
    /// What runs the command, in words; without it, what the image says
    #[serde(default)]
    pub entry_point: Vec<String>,
    /// Environment variables. What is secret belongs in `secrets`
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Environment variables whose values ECS reads from a parameter or a secret when it starts
    /// the container
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// CPU that is kept for it, in units of which 1024 are one processor
    pub cpu: Option<i32>,
    /// Memory in MiB beyond which it is ended
    pub memory_mib: Option<i32>,
    /// Memory in MiB that is kept for it
    pub memory_reservation_mib: Option<i32>,
    /// When it ends, the whole task ends
    #[serde(default = "yes")]
    pub essential: bool,
    /// Where its output goes; without it, nowhere
    pub logs: Option<Logs>,
    /// How ECS sees whether it works
    pub health_check: Option<HealthCheck>,
}

fn yes() -> bool {
    true
}

/// Where the value of a secret is: one of the three.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// A parameter of the Systems Manager
    pub parameter: Option<ParameterName>,
    /// A secret of the Secrets Manager
    pub secret: Option<SecretName>,
    /// ARN of a parameter or a secret
    pub arn: Option<String>,
    /// With `secret`: the key to take, of a secret that is a JSON mapping
    pub key: Option<String>,
}

/// A `CloudWatch` log group that takes a container's output.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// The log group
    pub group: LogGroupName,
    /// Its region; without it, the playbook's
    pub region: Option<String>,
    /// What the names of its log streams begin with; without it, the container's name
    pub prefix: Option<String>,
}

/// How ECS sees whether a container works.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// Run in the container, healthy when it ends with 0: one text for its shell, or a list of
    /// words without one
    pub command: OneOrMany<String>,
    /// Seconds between two checks, 5 to 300
    #[serde(default = "thirty")]
    #[schemars(range(min = 5, max = 300))]
    pub interval_seconds: i32,
    /// Seconds until a check counts as failed, 2 to 60
    #[serde(default = "five")]
    #[schemars(range(min = 2, max = 60))]
    pub timeout_seconds: i32,
    /// Failed checks in a row that make it unhealthy, 1 to 10
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    pub retries: i32,
    /// Seconds after its start in which failed checks do not count, 0 to 300
    #[serde(default)]
    #[schemars(range(min = 0, max = 300))]
    pub start_period_seconds: i32,
}

fn thirty() -> i32 {
    30
}

fn five() -> i32 {
    5
}

fn three() -> i32 {
    3
}

impl Container {
    /// Its memory is known without the task's.
    pub(super) fn has_memory(&self) -> bool {
        self.memory_mib.is_some() || self.memory_reservation_mib.is_some()
    }

    /// What is wrong with it, and where below it.
    pub(in crate::resources) fn check(&self, name: &str) -> Vec<(Vec<Step>, String)> {
        let mut problems = Vec::new();
        let mut problem = |path: &[&str], text: String| {
            let path = path.iter().map(|key| Step::Key((*key).to_owned()));
            problems.push((path.collect(), text));
        };
        if !is_name(name) {
            let text = "a container's name is 1 to 255 letters, digits, `-` and `_`";
            problem(&[], text.to_owned());
        }
        for (variable, source) in &self.secrets {
            if self.environment.contains_key(variable) {
                let text = format!("`{variable}` stands under `environment` too");
                problem(&["secrets", variable], text);
            }
            if let Some(text) = source.misfit() {
                problem(&["secrets", variable], text.to_owned());
            }
        }
        // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
        if let Some(health) = &self.health_check {
            let ranges = [
                ("interval_seconds", health.interval_seconds, 5, 300),
                ("timeout_seconds", health.timeout_seconds, 2, 60),
                ("retries", health.retries, 1, 10),
                ("start_period_seconds", health.start_period_seconds, 0, 300),
            ];
            for (field, value, least, most) in ranges {
                if !(least..=most).contains(&value) {
                    let text = format!("{value} is not within {least} to {most}");
                    problem(&["health_check", field], text);
                }
            }
            if health.command.0.is_empty() {
                problem(&["health_check", "command"], "no command".to_owned());
            }
        }
        problems
    }

    /// All its fields, in the words of the comparison; what is not known yet is [`LATER`].
    pub(in crate::resources) fn facts(&self, name: &str, region: &str, world: &World) -> Facts {
        let mut facts = Facts::new();
        let mut fact = |field: &str, value: String| facts.insert(field.to_owned(), value);
        fact("image", self.image.clone());
        fact("essential", self.essential.to_string());
        if !self.port.0.is_empty() {
            let mut ports = self.port.0.clone();
            ports.sort_unstable();
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            fact("port", ports.join(", "));
        }
        for (field, words) in [
            ("command", &self.command),
            ("entry_point", &self.entry_point),
        ] {
            if !words.is_empty() {
                fact(field, in_words(words));
            }
        }
        let sizes = [
            ("cpu", self.cpu),
            ("memory_mib", self.memory_mib),
            ("memory_reservation_mib", self.memory_reservation_mib),
        ];
        for (field, size) in sizes {
            if let Some(size) = size.filter(|size| *size != 0) {
                fact(field, size.to_string());
            }
        }
        for (variable, value) in &self.environment {
            fact(&format!("environment.{variable}"), value.clone());
        }
        for (variable, source) in &self.secrets {
            let value = source.value_from(world);
            fact(
                &format!("secrets.{variable}"),
                value.unwrap_or_else(|| LATER.to_owned()),
            );
        }
        if let Some(logs) = &self.logs {
            let group = logs.group_name(world).unwrap_or(LATER);
            fact("logs.group", group.to_owned());
            let region = logs.region.as_deref().unwrap_or(region);
            fact("logs.region", region.to_owned());
            let prefix = logs.prefix.as_deref().unwrap_or(name);
            fact("logs.prefix", prefix.to_owned());
        }
        if let Some(health) = &self.health_check {
            fact("health_check.command", in_words(&health.words()));
            let numbers = [
                ("interval_seconds", health.interval_seconds),
                ("timeout_seconds", health.timeout_seconds),
                ("retries", health.retries),
                ("start_period_seconds", health.start_period_seconds),
            ];
            for (field, number) in numbers {
                fact(&format!("health_check.{field}"), number.to_string());
            }
        }
        facts
    }
}

impl SecretSource {
    fn misfit(&self) -> Option<&'static str> {
        let ways = [
            self.parameter.is_some(),
            self.secret.is_some(),
            self.arn.is_some(),
        ];
        if ways.iter().filter(|way| **way).count() != 1 {
            return Some("a secret is taken from one of `parameter`, `secret` and `arn`");
        }
        let lonely = self.key.is_some() && self.secret.is_none();
        lonely.then_some("`key` goes with `secret`")
    }

    /// What ECS is told, if the parameter or secret exists already.
    fn value_from(&self, world: &World) -> Option<String> {
        let arn = |kind: &str, name: &str| {
            let arn = world.output(&Address::new(kind, name), "arn")?;
            arn.as_str().map(str::to_owned)
        };
        match self {
            Self { arn: Some(arn), .. } => Some(arn.clone()),
            Self {
                parameter: Some(ParameterName(name)),
                ..
            } => arn("parameters", name),
            Self {
                secret: Some(SecretName(name)),
                key,
                ..
            } => {
                let arn = arn("secrets", name)?;
                Some(match key {
                    // The empty ones are the secret's stage and version.
                    Some(key) => format!("{arn}:{key}::"),
                    None => arn,
                })
            }
            _ => None,
        }
    }
}

impl Logs {
    fn group_name<'a>(&self, world: &'a World) -> Option<&'a str> {
        let address = Address::new("log_groups", &self.group.0);
        world.output(&address, "name")?.as_str()
    }
}

impl HealthCheck {
    /// As Docker takes it.
    fn words(&self) -> Vec<String> {
        let begin = match self.command.0.len() {
            1 => "CMD-SHELL",
            _ => "CMD",
        };
        let words = std::iter::once(begin.to_owned());
        words.chain(self.command.0.iter().cloned()).collect()
    }
}

/// A list of words in a form that keeps them apart.
fn in_words(words: &[String]) -> String {
    serde_json::Value::from(words).to_string()
}
