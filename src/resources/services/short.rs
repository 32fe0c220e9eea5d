//! The short form of a service: its containers and its load balancer are written in it, and what they
//! take is made for it.

use std::borrow::Cow;
use std::marker::PhantomData;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::json;

use super::Service;
use crate::base::node::{Entry, Step};
use crate::base::{Error, Errors, Expansion, Location, Node, Result, Sections, Value, Written};

mod balancer;
mod rights;

/// A field that is taken out when the entry is expanded; what is left of it after that is told.
#[derive(Clone, Debug)]
pub struct Expanded<T> {
    left: bool,
    of: PhantomData<fn() -> T>,
}

impl<T> Expanded<T> {
    pub(super) fn is_left(&self) -> bool {
        self.left
    }
}

impl<T> Default for Expanded<T> {
    fn default() -> Self {
        Self {
            left: false,
            of: PhantomData,
        }
    }
}

impl<'de, T> Deserialize<'de> for Expanded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::<IgnoredAny>::deserialize(deserializer)?;
        Ok(Self {
            left: given.is_some(),
            of: PhantomData,
        })
    }
}

impl<T: JsonSchema> JsonSchema for Expanded<T> {
    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<Option<T>>();
        schema.insert("x-fixed".to_owned(), json!({ "expanded": true }));
        schema
    }
}

/// What was not expanded: with a task definition, or in an expression.
pub(super) fn left(spec: &Service) -> Vec<(Vec<Step>, String)> {
    let at = |field: &str| vec![Step::Key(field.to_owned())];
    let task = spec.task_definition.0.as_str();
    if task.is_empty() {
        let text = if spec.containers.is_left() {
            "`containers` is written out here: no expression can stand for all of it"
        } else {
            "what does it run? Give `containers`, or a `task_definition`"
        };
        let field = if spec.containers.is_left() {
            at("containers")
        } else {
            Vec::new()
        };
        return vec![(field, text.to_owned())];
    }
    let fields = [
        ("containers", spec.containers.is_left()),
        ("cpu", spec.cpu.is_left()),
        ("memory_mib", spec.memory_mib.is_left()),
        (
            "ephemeral_storage_gib",
            spec.ephemeral_storage_gib.is_left(),
        ),
        ("architecture", spec.architecture.is_left()),
        ("execution_role", spec.execution_role.is_left()),
        ("task_role", spec.task_role.is_left()),
        ("permissions", spec.permissions.is_left()),
        ("log_retention_days", spec.log_retention_days.is_left()),
        ("keep_revisions", spec.keep_revisions.is_left()),
    ];
    let left = fields.into_iter().filter(|(_, is_left)| *is_left);
    let told = left.map(|(field, _)| {
        let text = format!("the task definition `{task}` says this: give it there");
        (at(field), text)
    });
    told.collect()
}

/// The entry of a service while it is taken apart.
struct Short<'a> {
    name: &'a str,
    at: &'a Location,
    spec: IndexMap<String, Entry>,
    sections: &'a Sections,
    others: Vec<(&'static str, String, Node)>,
}

/// What a service stands for beside itself; nothing for one that names all of it.
pub(super) fn expand(
    name: &str,
    entry: &Entry,
    sections: &Sections,
) -> Result<Option<Expansion>, Errors> {
    let Some(map) = entry.node.as_map() else {
        return Ok(None);
    };
    let containers = map.get("containers").map(|it| &it.node.value);
    match (containers, map.contains_key("task_definition")) {
        (Some(Value::Map(_)), false) | (None, true) => {}
        // The check of the whole says what is wrong with it.
        _ => return Ok(None),
    }
    if let (Some(permissions), true) = (map.get("permissions"), map.contains_key("task_role")) {
        let text = "`permissions` are for a role that is made, and there is a `task_role`";
        let error = Error::playbook(text, &permissions.key_at);
        return Err(error.hint("give the role itself these policies").into());
    }
    let mut short = Short {
        name,
        at: &entry.key_at,
        spec: map.clone(),
        sections,
        others: Vec::new(),
    };
    let groups = map.get("security_groups").map(|it| &it.node);
    for group in groups.and_then(Node::as_list).into_iter().flatten() {
        if let Some(group) = group.as_text() {
            short.same_network("security_groups", group)?;
        }
    }
    let containers = short.containers();
    short.balancer(containers.as_ref())?;
    if let Some(containers) = containers {
        short.task(containers);
    }
    let mut spec = entry.node.clone();
    spec.value = Value::Map(short.spec.into());
    Ok(Some(Expansion {
        spec,
        others: short.others,
    }))
}

impl Short<'_> {
    /// The containers, where they are written in the service.
    fn containers(&mut self) -> Option<IndexMap<String, Entry>> {
        let entry = self.spec.shift_remove("containers")?;
        entry.node.as_map().cloned()
    }

    /// A name of something that is made for it, where a field takes a name.
    fn named(&self, name: &str) -> String {
        if self.spec.contains_key("for_each") {
            format!("{name}[{{{{ each.key }}}}]")
        } else {
            name.to_owned()
        }
    }

    /// The service's name in AWS with an ending, where one is given: else AWS's names are those of the
    /// playbook.
    fn aws_name(&self, ending: &str) -> Option<Entry> {
        let mut entry = self.spec.get("name")?.clone();
        let name = entry.node.as_text()?;
        entry.node.value = Value::Text(format!("{name}{ending}"));
        Some(entry)
    }

    fn make(&mut self, kind: &'static str, name: impl Into<String>, spec: Written) {
        self.others.push((kind, name.into(), spec.node()));
    }

    /// The task definition, with the logs and roles of its containers.
    fn task(&mut self, mut containers: IndexMap<String, Entry>) {
        let execution_role = self.role("execution_role", |short| {
            Some(short.execution_role(&containers))
        });
        let task_role = self.role("task_role", Self::task_role);
        let group = self.named(self.name);
        let mut logs = false;
        for container in containers.values_mut() {
            if let Value::Map(map) = &mut container.node.value
                && !map.contains_key("logs")
            {
                let entry = Written::at(self.at).with("group", group.as_str()).entry();
                map.insert("logs".to_owned(), entry);
                logs = true;
            }
        }
        let days = self.spec.shift_remove("log_retention_days");
        if logs {
            self.log_group(days);
        }
        let mut task = Written::at(self.at)
            .taking("family", self.aws_name(""))
            .taking("execution_role", execution_role)
            .taking("task_role", task_role);
        for field in [
            "cpu",
            "memory_mib",
            "ephemeral_storage_gib",
            "architecture",
            "keep_revisions",
        ] {
            task = task.taking(field, self.spec.shift_remove(field));
        }
        let launch_type = self.spec.get("launch_type");
        if launch_type.and_then(|it| it.node.as_text()) == Some("EC2") {
            task = task.with("requires_compatibilities", "EC2");
        }
        let containers = Node::new(self.at, Value::Map(containers.into()));
        let key_at = self.at.clone();
        task = task.taking(
            "containers",
            Some(Entry {
                key_at,
                node: containers,
            }),
        );
        self.make("task_definitions", self.name, task);
        let task = Node::new(self.at, Value::Text(group));
        let key_at = self.at.clone();
        self.spec
            .insert("task_definition".to_owned(), Entry { key_at, node: task });
    }

    fn log_group(&mut self, days: Option<Entry>) {
        let name = match self.aws_name("") {
            Some(name) => name.node.as_text().unwrap_or_default().to_owned(),
            None if self.spec.contains_key("for_each") => {
                format!("{}-{{{{ each.key }}}}", self.name)
            }
            None => self.name.to_owned(),
        };
        let group = Written::at(self.at)
            .with("name", format!("/ecs/{name}"))
            .taking("retention_days", days);
        self.make("log_groups", self.name, group);
    }

    /// The role that is given, or one that is made.
    fn role(
        &mut self,
        field: &'static str,
        make: impl FnOnce(&mut Self) -> Option<Written>,
    ) -> Option<Entry> {
        if let Some(given) = self.spec.shift_remove(field) {
            return Some(given);
        }
        let ending = field.strip_suffix("_role").unwrap_or(field);
        let role = make(self)?
            .taking("name", self.aws_name(&format!("-{ending}")))
            .with("trusted_service", "ecs-tasks");
        let name = format!("{}-{ending}", self.name);
        let named = Node::new(self.at, Value::Text(self.named(&name)));
        self.make("roles", name, role);
        Some(Entry {
            key_at: self.at.clone(),
            node: named,
        })
    }

    fn execution_role(&self, containers: &IndexMap<String, Entry>) -> Written {
        let text = format!("Starts the tasks of the service {}", self.name);
        let logs = format!("{{{{ {}.arn }}}}:*", self.read("log_groups"));
        let statements = rights::statements(containers, self.sections, &logs);
        let policies = match statements.as_slice() {
            [] => json!({}),
            _ => json!({ "start": statements }),
        };
        Written::at(self.at)
            .with("description", text)
            .with("policies", policies)
    }

    /// The role of the containers, where they need one.
    fn task_role(&mut self) -> Option<Written> {
        let permissions = self.spec.shift_remove("permissions");
        let commands = self.spec.get("execute_command");
        let commands = commands.is_some_and(|it| it.node.value != Value::Bool(false));
        if permissions.is_none() && !commands {
            return None;
        }
        let mut policies = Written::at(self.at).taking("permissions", permissions);
        if commands {
            policies = policies.with("execute_command", json!([rights::execute_command()]));
        }
        let text = format!("What the containers of the service {} may do", self.name);
        let role = Written::at(self.at).with("description", text);
        Some(role.taking("policies", Some(policies.entry())))
    }

    /// What is made for it in a section, as an expression reads it.
    fn read(&self, section: &str) -> String {
        let key = if self.spec.contains_key("for_each") {
            "[each.key]"
        } else {
            ""
        };
        format!("{section}['{}']{key}", self.name)
    }

    fn error(&self, text: &str) -> Error {
        let balancer = self.spec.get("load_balancer");
        let at = balancer.map_or(self.at, |entry| &entry.key_at);
        Error::playbook(format!("`services.{}`: {text}", self.name), at)
    }
}
