//! What can be told to be wrong with a task definition offline.

use super::{Launch, Mode, TaskDefinition, fargate};
use crate::base::node::Step;

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
const MOST_CONTAINERS: usize = 10;

pub(super) fn check(spec: &TaskDefinition) -> Vec<(Vec<Step>, String)> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, text: String| {
        problems.push((vec![Step::Key(field.to_owned())], text));
    };
    if spec.family.as_ref().is_some_and(|name| !is_name(name)) {
        let text = "a family's name is 1 to 255 letters, digits, `-` and `_`";
        problem("family", text.to_owned());
    }
    if !(1..=100).contains(&spec.keep_revisions) {
        problem("keep_revisions", "1 to 100 revisions are kept".to_owned());
    }
    let is_fargate = spec.requires_compatibilities.0.contains(&Launch::Fargate);
    if is_fargate {
        on_fargate(spec, &mut problem);
    } else if spec.memory_mib.is_none() {
        let unsized_ = spec.containers.iter().find(|(_, it)| !it.has_memory());
        if let Some((name, _)) = unsized_ {
            let text = format!("give the task or its container `{name}` a `memory_mib`");
            problem("containers", text);
        }
    }
    let ephemeral = spec.ephemeral_storage_gib;
    if ephemeral.is_some_and(|gib| !(21..=200).contains(&gib)) {
        let text = "the disk of a task has 21 to 200 GiB, or 20 without this field";
        problem("ephemeral_storage_gib", text.to_owned());
    } else if ephemeral.is_some() && !is_fargate {
        let text = "only tasks on Fargate have a disk of their own";
        problem("ephemeral_storage_gib", text.to_owned());
    }
    match spec.containers.len() {
        0 => problem("containers", "a task has at least 1 container".to_owned()),
        1..=MOST_CONTAINERS => {}
        _ => problem("containers", "a task has at most 10 containers".to_owned()),
    }
    let some = !spec.containers.is_empty();
    if some
        && !spec
            .containers
            .values()
            .any(|container| container.essential)
    {
        let text = "at least 1 container is essential";
        problem("containers", text.to_owned());
    }
    let needs_role =
        |container: &super::Container| container.logs.is_some() || !container.secrets.is_empty();
    if spec.execution_role.is_none() && is_fargate && spec.containers.values().any(needs_role) {
        let text = "logs and secrets need an `execution_role` (with the managed policy \
                    `service-role/AmazonECSTaskExecutionRolePolicy`)";
        problem("containers", text.to_owned());
    }
    for (name, container) in &spec.containers {
        for (path, text) in container.check(name) {
            let begin = ["containers", name].map(|key| Step::Key(key.to_owned()));
            problems.push((begin.into_iter().chain(path).collect(), text));
        }
    }
    problems
}

fn on_fargate(spec: &TaskDefinition, problem: &mut impl FnMut(&str, String)) {
    match (spec.cpu, spec.memory_mib) {
        (Some(cpu), Some(memory)) => {
            if let Some((field, text)) = fargate::misfit(cpu, memory) {
                problem(field, text);
            }
        }
        (None, _) => problem("cpu", "Fargate needs `cpu`, such as 256".to_owned()),
        (_, None) => {
            let text = "Fargate needs `memory_mib`, such as 512";
            problem("memory_mib", text.to_owned());
        }
    }
    if spec.network_mode != Mode::Awsvpc {
        let text = "Fargate takes the network mode `awsvpc` only";
        problem("network_mode", text.to_owned());
    }
}

/// Families and containers are named alike.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=255).contains(&name.len()) && name.chars().all(fits)
}
