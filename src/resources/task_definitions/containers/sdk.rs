//! Containers as ECS takes and tells them.

use aws_sdk_ecs::types::{
    ContainerDefinition, HealthCheck as SdkHealthCheck, KeyValuePair, LogConfiguration, LogDriver,
    PortMapping, Secret, TransportProtocol,
};

use super::{Container, Facts, HealthCheck, Logs, in_words};
use crate::base::{Error, Location, Result, World};

/// What ECS takes.
///
/// # Errors
/// A playbook error at `at`, when something that the container uses does not exist.
pub(in crate::resources) fn definition(
    name: &str,
    container: &Container,
    region: &str,
    world: &World,
    at: &Location,
) -> Result<ContainerDefinition> {
    let missing = |what: &str| {
        let text = format!("what container `{name}` uses does not exist: {what}");
        Error::playbook(text, at)
    };
    let some = |words: &[String]| (!words.is_empty()).then(|| words.to_vec());
    let mut secrets = Vec::new();
    for (variable, source) in &container.secrets {
        let from = source.value_from(world);
        let from = from.ok_or_else(|| missing(&format!("the source of secret `{variable}`")))?;
        let secret = Secret::builder().name(variable).value_from(from).build();
        secrets.push(secret.map_err(incomplete)?);
    }
    let logs = container.logs.as_ref().map(|logs| {
        let group = logs.group_name(world);
        let group = group.ok_or_else(|| missing(&format!("log group `{}`", logs.group.0)))?;
        configuration(logs, group, region, name)
    });
    let ports = container.port.0.iter().map(|port| {
        PortMapping::builder()
            .container_port(i32::from(*port))
            .protocol(TransportProtocol::Tcp)
            .build()
    });
    let environment = container.environment.iter();
    let environment = environment.map(|(variable, value)| {
        let pair = KeyValuePair::builder().name(variable);
        pair.value(value).build()
    });
    let health = container.health_check.as_ref().map(checked).transpose()?;
    Ok(ContainerDefinition::builder()
        .name(name)
        .image(&container.image)
        .essential(container.essential)
        .set_port_mappings(Some(ports.collect()))
        .set_command(some(&container.command))
        .set_entry_point(some(&container.entry_point))
        .set_environment(Some(environment.collect()))
        .set_secrets((!secrets.is_empty()).then_some(secrets))
        .cpu(container.cpu.unwrap_or_default())
        .set_memory(container.memory_mib)
        .set_memory_reservation(container.memory_reservation_mib)
        .set_log_configuration(logs.transpose()?)
        .set_health_check(health)
        .build())
}

fn configuration(logs: &Logs, group: &str, region: &str, name: &str) -> Result<LogConfiguration> {
    LogConfiguration::builder()
        .log_driver(LogDriver::Awslogs)
        .options("awslogs-group", group)
        .options("awslogs-region", logs.region.as_deref().unwrap_or(region))
        .options(
            "awslogs-stream-prefix",
            logs.prefix.as_deref().unwrap_or(name),
        )
        .build()
        .map_err(incomplete)
}

fn checked(health: &HealthCheck) -> Result<SdkHealthCheck> {
    SdkHealthCheck::builder()
        .set_command(Some(health.words()))
        .interval(health.interval_seconds)
        .timeout(health.timeout_seconds)
        .retries(health.retries)
        .start_period(health.start_period_seconds)
        .build()
        .map_err(incomplete)
}

fn incomplete(error: impl std::fmt::Display) -> Error {
    Error::failed(error.to_string())
}

/// What ECS tells of a container: its name, and the fields that are managed.
pub(in crate::resources) fn told(told: ContainerDefinition) -> (String, Facts) {
    let mut facts = Facts::new();
    let mut fact = |field: &str, value: String| facts.insert(field.to_owned(), value);
    fact("image", told.image.unwrap_or_default());
    fact("essential", told.essential.unwrap_or(true).to_string());
    let mut ports: Vec<_> = told.port_mappings.into_iter().flatten().collect();
    ports.sort_by_key(|port| port.container_port);
    if !ports.is_empty() {
        let ports: Vec<_> = ports.iter().map(port_in_words).collect();
        fact("port", ports.join(", "));
    }
    for (field, words) in [("command", told.command), ("entry_point", told.entry_point)] {
        if let Some(words) = words.filter(|words| !words.is_empty()) {
            fact(field, in_words(&words));
        }
    }
    let sizes = [
        ("cpu", Some(told.cpu)),
        ("memory_mib", told.memory),
        ("memory_reservation_mib", told.memory_reservation),
    ];
    for (field, size) in sizes {
        if let Some(size) = size.filter(|size| *size != 0) {
            fact(field, size.to_string());
        }
    }
    for pair in told.environment.into_iter().flatten() {
        let variable = pair.name.unwrap_or_default();
        fact(
            &format!("environment.{variable}"),
            pair.value.unwrap_or_default(),
        );
    }
    for secret in told.secrets.into_iter().flatten() {
        fact(&format!("secrets.{}", secret.name), secret.value_from);
    }
    if let Some(logs) = told.log_configuration {
        let mut options = logs.options.unwrap_or_default();
        let mut option = |name: &str| options.remove(name).unwrap_or_default();
        fact("logs.group", option("awslogs-group"));
        fact("logs.region", option("awslogs-region"));
        fact("logs.prefix", option("awslogs-stream-prefix"));
        if logs.log_driver != LogDriver::Awslogs {
            fact("logs.driver", logs.log_driver.as_str().to_owned());
        }
    }
    if let Some(health) = told.health_check {
        fact("health_check.command", in_words(&health.command));
        let numbers = [
            ("interval_seconds", health.interval, 30),
            ("timeout_seconds", health.timeout, 5),
            ("retries", health.retries, 3),
            ("start_period_seconds", health.start_period, 0),
        ];
        for (field, number, usual) in numbers {
            let number = number.unwrap_or(usual).to_string();
            fact(&format!("health_check.{field}"), number);
        }
    }
    (told.name.unwrap_or_default(), facts)
}

fn port_in_words(port: &PortMapping) -> String {
    let number = match (port.container_port, &port.container_port_range) {
        (Some(port), _) => port.to_string(),
        (None, range) => range.clone().unwrap_or_default(),
    };
    match &port.protocol {
        None | Some(TransportProtocol::Tcp) => number,
        Some(other) => format!("{number}/{}", other.as_str()),
    }
}
