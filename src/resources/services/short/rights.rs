//! What ECS must be allowed to do to start the containers of a service, and no more.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::base::node::Entry;
use crate::base::{Node, Sections};

/// Begin of an ARN in the run's account.
fn here(service: &str) -> String {
    format!("arn:aws:{service}:{{{{ region }}}}:{{{{ account }}}}:")
}

/// What of one kind is read.
#[derive(Default)]
struct Read {
    /// ARNs of all.
    all: BTreeSet<String>,
    /// Those that a key of one's own may encrypt.
    sealed: BTreeSet<String>,
}

/// The statements of the execution role; containers that say nothing of logs write to the streams
/// `own_logs`.
pub(super) fn statements(
    containers: &IndexMap<String, Entry>,
    sections: &Sections,
    own_logs: &str,
) -> Vec<Json> {
    let (mut repositories, mut logs) = (BTreeSet::new(), BTreeSet::new());
    let (mut parameters, mut secrets) = (Read::default(), Read::default());
    for container in containers.values().map(|it| &it.node) {
        repositories.extend(
            container
                .entry("image")
                .and_then(|it| repository(it, sections)),
        );
        logs.extend(streams(container, sections, own_logs));
        let sources = container.entry("secrets").and_then(Node::as_map);
        for source in sources.into_iter().flat_map(|it| it.values()) {
            read(&source.node, sections, &mut parameters, &mut secrets);
        }
    }
    let mut statements = Vec::new();
    if !repositories.is_empty() {
        let layers = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
        ];
        statements.push(allow(&["ecr:GetAuthorizationToken"], ["*".to_owned()]));
        statements.push(allow(&layers, repositories));
    }
    if !logs.is_empty() {
        statements.push(allow(&["logs:CreateLogStream", "logs:PutLogEvents"], logs));
    }
    for (action, read, context) in [
        ("ssm:GetParameters", parameters, "PARAMETER_ARN"),
        ("secretsmanager:GetSecretValue", secrets, "SecretARN"),
    ] {
        if !read.all.is_empty() {
            statements.push(allow(&[action], read.all));
        }
        // By whichever key: only what is encrypted for one of these.
        // https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html
        if !read.sealed.is_empty() {
            let keys = format!("{}key/*", here("kms"));
            let mut decrypt = allow(&["kms:Decrypt"], [keys]);
            let context = format!("kms:EncryptionContext:{context}");
            decrypt["Condition"] = json!({ "StringLike": { context: read.sealed } });
            statements.push(decrypt);
        }
    }
    statements
}

/// What commands in containers take:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>.
pub(super) fn execute_command() -> Json {
    let actions = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ];
    allow(&actions, ["*".to_owned()])
}

fn allow(actions: &[&str], resources: impl IntoIterator<Item = String>) -> Json {
    let resources: Vec<_> = resources.into_iter().collect();
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// ARNs of the log streams that a container writes.
fn streams(container: &Node, sections: &Sections, own: &str) -> Option<String> {
    let Some(logs) = container.entry("logs") else {
        return Some(own.to_owned());
    };
    let group = name(logs.entry("group")?);
    let group = arn("log_groups", group, sections).unwrap_or_else(|| {
        let name = group.unwrap_or("*");
        format!("{}log-group:{name}", here("logs"))
    });
    Some(format!("{group}:*"))
}

/// ARN of the repository that an image comes from, if it is one of ECR.
fn repository(image: &Node, sections: &Sections) -> Option<String> {
    let in_ecr = |name: &str| format!("{}repository/{name}", here("ecr"));
    let Some(image) = name(image) else {
        return Some(in_ecr("*"));
    };
    if let Some(built) = sections.get("images").and_then(|it| it.get(image)) {
        let repository = name(built.node.entry("repository")?);
        let declared = arn("repositories", repository, sections);
        return Some(declared.unwrap_or_else(|| in_ecr(repository.unwrap_or("*"))));
    }
    // ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG
    let (registry, path) = image.split_once('/')?;
    let [account, "dkr", "ecr", region, ..] = registry.split('.').collect::<Vec<_>>()[..] else {
        return None;
    };
    let path = path.split(['@', ':']).next()?;
    Some(format!("arn:aws:ecr:{region}:{account}:repository/{path}"))
}

/// Notes what one secret of a container takes.
fn read(source: &Node, sections: &Sections, parameters: &mut Read, secrets: &mut Read) {
    let kinds = [
        ("parameter", "parameters", &mut *parameters),
        ("secret", "secrets", &mut *secrets),
    ];
    for (field, kind, read) in kinds {
        let Some(written) = source.entry(field) else {
            continue;
        };
        let written = name(written);
        let declared = arn(kind, written, sections);
        let is_sealed = match (&declared, written) {
            (Some(_), Some(written)) => {
                spec(kind, written, sections).is_some_and(|spec| spec.entry("key").is_some())
            }
            _ => true,
        };
        let arn = declared.unwrap_or_else(|| match (kind, written) {
            (_, Some(arn)) if arn.starts_with("arn:") => arn.to_owned(),
            (_, None) if kind == "parameters" => format!("{}parameter/*", here("ssm")),
            (_, None) => format!("{}secret:*", here("secretsmanager")),
            ("parameters", Some(name)) => {
                let name = name.trim_start_matches('/');
                format!("{}parameter/{name}", here("ssm"))
            }
            // AWS ends the name with a hyphen and six characters.
            (_, Some(name)) => format!("{}secret:{name}-??????", here("secretsmanager")),
        });
        read.add(arn, is_sealed);
    }
    if let Some(written) = source.entry("arn") {
        match name(written) {
            Some(arn) if arn.contains(":secretsmanager:") => {
                // Seven parts name it; key, stage and version may follow.
                let arn = arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":");
                secrets.add(arn, true);
            }
            Some(arn) => parameters.add(arn.to_owned(), true),
            // An expression: it may be either.
            None => {
                let arn = written.as_text().unwrap_or_default();
                parameters.add(arn.to_owned(), true);
                secrets.add(arn.to_owned(), true);
            }
        }
    }
}

impl Read {
    fn add(&mut self, arn: String, is_sealed: bool) {
        if is_sealed {
            self.sealed.insert(arn.clone());
        }
        self.all.insert(arn);
    }
}

/// A name that is written out; nothing for an expression.
fn name(node: &Node) -> Option<&str> {
    node.as_text().filter(|text| !text.contains("{{"))
}

/// The spec of what is declared under a name, as `NAME` or `NAME[KEY]`.
fn spec<'a>(kind: &str, name: &str, sections: &'a Sections) -> Option<&'a Node> {
    let base = name.split('[').next()?;
    Some(&sections.get(kind)?.get(base)?.node)
}

/// The expression of the ARN of what is declared under a name.
fn arn(kind: &str, name: Option<&str>, sections: &Sections) -> Option<String> {
    let name = name?;
    spec(kind, name, sections)?;
    let read = match name.strip_suffix(']').and_then(|it| it.split_once('[')) {
        Some((base, key)) => format!("{kind}['{base}']['{key}']"),
        None => format!("{kind}['{name}']"),
    };
    Some(format!("{{{{ {read}.arn }}}}"))
}
