//! What a successful call means for the hosts, and for what the front must remember.

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::addresses::Use;
use super::call::{Call, is_id};
use super::cloud::Machine;
use super::fleets;
use super::server::Front;
use super::state::State;
use super::xml::Element;
use crate::base::Result;
use crate::sandbox::hosts::{Launch, Work};

/// Whether an action makes things that have ids.
pub(super) fn makes(action: &str) -> bool {
    ["Create", "Run", "Allocate", "Import"]
        .iter()
        .any(|verb| action.starts_with(verb))
        && action != "CreateTags"
}

/// What must be known from before the call: the instances that it stops or ends.
pub(super) async fn before(front: &Front, call: &Call) -> Vec<Machine> {
    if !matches!(call.action.as_str(), "StopInstances" | "TerminateInstances") {
        return Vec::new();
    }
    let ids = call.params.list("InstanceId");
    // Unknown ids are for the emulator to refuse.
    front
        .cloud
        .machines(&call.region, &ids, None)
        .await
        .unwrap_or_default()
}

/// Brings about what the call means. `root` is the emulator's answer as it came.
pub(super) async fn after(front: &Arc<Front>, call: &Call, before: &[Machine], root: &Element) {
    if makes(&call.action) {
        root.walk(&mut |element| {
            if is_id(&element.text) {
                front.states.created(&element.text);
            }
        });
    }
    let done = match call.action.as_str() {
        "RunInstances" => launch(front, call, root).await,
        "TerminateInstances" => terminate(front, call, before).await,
        "StopInstances" => {
            for machine in before {
                take_back(front, machine.public, Use::Public);
            }
            stop(front, call).await
        }
        "StartInstances" => start(front, call).await,
        "RebootInstances" => {
            change(front, call, State::Running, &Work::Reboot);
            Ok(())
        }
        "ModifyInstanceAttribute" => {
            remember_protection(front, call);
            regroup(front, call).await
        }
        "CreateImage" => bake(front, call, root).await,
        "DeregisterImage" => {
            if let (Some(hosts), Some(image)) = (&front.hosts, call.params.value("ImageId")) {
                hosts.forget(image).await;
            }
            Ok(())
        }
        "AssociateAddress" | "DisassociateAddress" => readdress(front, &call.region).await,
        _ => Ok(()),
    };
    if let Err(cause) = done {
        front.problems.add(&format!("{}: {cause}", call.action));
    }
}

fn instance_ids(root: &Element) -> Vec<String> {
    let mut ids = Vec::new();
    root.walk(&mut |element| {
        if element.name == "instanceId" {
            ids.push(element.text.clone());
        }
    });
    ids
}

async fn launch(front: &Arc<Front>, call: &Call, root: &Element) -> Result<()> {
    let ids = instance_ids(root);
    if call.params.is_true("DisableApiTermination") {
        for id in &ids {
            front.states.protect(id, true);
            front.cloud.protect(&call.region, id).await?;
        }
    }
    if front.hosts.is_none() {
        return Ok(());
    }
    for id in &ids {
        front.states.set(id, State::Pending);
    }
    let user_data = call.params.value("UserData").unwrap_or_default();
    for machine in front.cloud.machines(&call.region, &ids, None).await? {
        host(front, &call.region, &machine, user_data).await?;
    }
    Ok(())
}

/// Gives a new instance its host.
pub(super) async fn host(
    front: &Front,
    region: &str,
    machine: &Machine,
    user_data: &str,
) -> Result<()> {
    let Some(hosts) = &front.hosts else {
        return Ok(());
    };
    let public_key = match &machine.key {
        Some(name) => front.cloud.public_key(region, name).await?,
        None => None,
    };
    let Some(private) = ours(front, machine.private, Use::Private) else {
        front
            .problems
            .add(&format!("`{}` has no address left to get", machine.id));
        return Ok(());
    };
    let launch = Launch {
        region: region.to_owned(),
        image: hosts.image(&machine.image),
        user: hosts.user(&machine.image),
        private,
        public: public_addresses(front, machine),
        public_key,
        user_data: user_data.to_owned(),
    };
    front.states.set(&machine.id, State::Pending);
    hosts.send(&machine.id, Work::Launch(Box::new(launch)));
    Ok(())
}

/// The image is of the host's disk as it is now. Memory (`/run`) is not in it.
async fn bake(front: &Front, call: &Call, root: &Element) -> Result<()> {
    let (Some(hosts), Some(instance)) = (&front.hosts, call.params.value("InstanceId")) else {
        return Ok(());
    };
    let Some(image) = root.child("imageId") else {
        return Ok(());
    };
    let instances = [instance.to_owned()];
    let machines = front.cloud.machines(&call.region, &instances, None).await?;
    for machine in machines {
        hosts.bake(&machine.id, &machine.image, &image.text).await;
    }
    Ok(())
}

/// An instance's security groups are those of its interface; the emulator keeps them apart.
async fn regroup(front: &Front, call: &Call) -> Result<()> {
    let groups = call.params.list("GroupId");
    match call.params.value("InstanceId") {
        Some(instance) if !groups.is_empty() => {
            front.cloud.regroup(&call.region, instance, &groups).await
        }
        _ => Ok(()),
    }
}

async fn terminate(front: &Front, call: &Call, before: &[Machine]) -> Result<()> {
    change(front, call, State::ShuttingDown, &Work::Terminate);
    for machine in before {
        release(front, &call.region, machine).await?;
    }
    // A group replaces those of its own.
    fleets::settle(front, &call.region).await
}

/// Takes from an instance that was terminated what the emulator leaves it: interfaces, addresses.
pub(super) async fn release(front: &Front, region: &str, machine: &Machine) -> Result<()> {
    front.cloud.release_from(region, &machine.id).await?;
    take_back(front, machine.public, Use::Public);
    take_back(front, machine.private, Use::Private);
    front.states.protect(&machine.id, false);
    Ok(())
}

/// Reports a state in between and gives the hosts their work, which ends it.
fn change(front: &Front, call: &Call, state: State, work: &Work) {
    let Some(hosts) = &front.hosts else {
        return;
    };
    for id in call.params.list("InstanceId") {
        if hosts.has(&id) {
            front.states.set(&id, state);
            hosts.send(&id, work.clone());
        }
    }
}

async fn stop(front: &Front, call: &Call) -> Result<()> {
    let ids = call.params.list("InstanceId");
    front.cloud.reassociate(&call.region, &ids).await?;
    change(front, call, State::Stopping, &Work::Stop);
    Ok(())
}

async fn start(front: &Front, call: &Call) -> Result<()> {
    let ids = call.params.list("InstanceId");
    front.cloud.reassociate(&call.region, &ids).await?;
    // A start gives an instance another public address: written before it boots.
    if let Some(hosts) = &front.hosts {
        for machine in front.cloud.machines(&call.region, &ids, None).await? {
            hosts.send(
                &machine.id,
                Work::Address(public_addresses(front, &machine)),
            );
        }
    }
    change(front, call, State::Pending, &Work::Start);
    Ok(())
}

/// Gives every host the public addresses that it has now, and waits until it has them.
async fn readdress(front: &Front, region: &str) -> Result<()> {
    let Some(hosts) = &front.hosts else {
        return Ok(());
    };
    for machine in front.cloud.machines(region, &[], None).await? {
        if hosts.has(&machine.id) {
            hosts
                .readdress(&machine.id, public_addresses(front, &machine))
                .await;
        }
    }
    Ok(())
}

fn remember_protection(front: &Front, call: &Call) {
    let Some(id) = call.params.value("InstanceId") else {
        return;
    };
    let plain = call.params.value("Attribute") == Some("disableApiTermination");
    let value = call
        .params
        .value("DisableApiTermination.Value")
        .or_else(|| call.params.value("Value").filter(|_| plain));
    if let Some(value) = value {
        front.states.protect(id, value.eq_ignore_ascii_case("true"));
    }
}

fn ours(front: &Front, theirs: Option<Ipv4Addr>, purpose: Use) -> Option<Ipv4Addr> {
    front.addresses.ours(theirs?, purpose)
}

fn take_back(front: &Front, theirs: Option<Ipv4Addr>, purpose: Use) {
    if let Some(theirs) = theirs {
        front.addresses.take_back(theirs, purpose);
    }
}

fn public_addresses(front: &Front, machine: &Machine) -> Vec<Ipv4Addr> {
    ours(front, machine.public, Use::Public)
        .into_iter()
        .collect()
}
