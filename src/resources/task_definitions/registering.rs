//! Registering a revision, and what ECS tells of one.

use aws_sdk_ecs::types::{
    self, CpuArchitecture, EphemeralStorage, OsFamily, RuntimePlatform, TaskDefinitionStatus,
};

use super::{Architecture, Launch, Live, TaskDefinition, containers};
use crate::aws::ecs::sdk_tags;
use crate::aws::{Tags, refused};
use crate::base::{Error, Result};
use crate::contract::{Context, Target};
use crate::resources::role::RoleOrArn;

pub(super) async fn register(
    spec: &TaskDefinition,
    cx: &Context,
    target: Target<'_>,
    family: &str,
) -> Result<Live> {
    let role = |role: Option<&RoleOrArn>| {
        role.map(|role| {
            let arn = role.arn(target.world).map(str::to_owned);
            arn.ok_or_else(|| {
                let text = format!("role `{}` does not exist", role.0);
                Error::playbook(text, target.at)
            })
        })
        .transpose()
    };
    let mut launches = spec.requires_compatibilities.0.clone();
    launches.sort();
    launches.dedup();
    // Fargate must be told; elsewhere only what is not usual.
    let platform = RuntimePlatform::builder()
        .cpu_architecture(CpuArchitecture::from(spec.architecture.word()))
        .operating_system_family(OsFamily::Linux)
        .build();
    let says_platform =
        launches.contains(&Launch::Fargate) || spec.architecture != Architecture::X86;
    let disk = spec.ephemeral_storage_gib;
    let disk = disk.map(|gib| EphemeralStorage::builder().size_in_gib(gib).build());
    let made = spec.containers.iter().map(|(name, container)| {
        containers::definition(name, container, &cx.region, target.world, target.at)
    });
    let call = cx.aws.ecs.register_task_definition().family(family);
    let call = call.set_container_definitions(Some(made.collect::<Result<_>>()?));
    let launches = launches.into_iter().map(Launch::sdk);
    let call = call.set_requires_compatibilities(Some(launches.collect()));
    let call = call.network_mode(spec.network_mode.sdk());
    let call = call.set_cpu(spec.cpu.map(|cpu| cpu.to_string()));
    let call = call.set_memory(spec.memory_mib.map(|memory| memory.to_string()));
    let call = call.set_execution_role_arn(role(spec.execution_role.as_ref())?);
    let call = call.set_task_role_arn(role(spec.task_role.as_ref())?);
    let call = call.set_ephemeral_storage(disk);
    let call = call.set_runtime_platform(says_platform.then_some(platform));
    let made = call.set_tags(Some(sdk_tags(&target.tags.0))).send().await;
    let made = made.map_err(refused("ecs:RegisterTaskDefinition"))?;
    let made = made.task_definition.unwrap_or_else(|| {
        // ECS always answers with the revision.
        types::TaskDefinition::builder().family(family).build()
    });
    Ok(told(cx, made, target.tags.clone()))
}

pub(super) fn told(cx: &Context, told: types::TaskDefinition, tags: Tags) -> Live {
    let number = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let mut launches: Vec<_> = told
        .requires_compatibilities
        .into_iter()
        .flatten()
        .map(|it| it.as_str().to_owned())
        .collect();
    // In the order of `Launch`.
    launches.sort_by_key(|launch| launch != "FARGATE");
    let architecture = told.runtime_platform.and_then(|it| it.cpu_architecture);
    let architecture = architecture.unwrap_or(CpuArchitecture::X8664);
    let status = told.status.unwrap_or(TaskDefinitionStatus::Active);
    let mode = told.network_mode.map(|mode| mode.as_str().to_owned());
    let containers = told.container_definitions.into_iter().flatten();
    Live {
        family: told.family.unwrap_or_default(),
        arn: told.task_definition_arn.unwrap_or_default(),
        revision: told.revision,
        status: status.as_str().to_owned(),
        region: cx.region.clone(),
        requires_compatibilities: launches,
        cpu: number(told.cpu),
        memory_mib: number(told.memory),
        network_mode: mode.unwrap_or_else(|| "bridge".to_owned()),
        execution_role: told.execution_role_arn,
        task_role: told.task_role_arn,
        ephemeral_storage_gib: told.ephemeral_storage.map(|disk| disk.size_in_gib),
        architecture: architecture.as_str().to_owned(),
        containers: containers.map(containers::told).collect(),
        tags,
        revisions: None,
    }
}
