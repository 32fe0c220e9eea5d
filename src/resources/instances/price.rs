//! What an instance costs a month: running, its root volume, a public address that is its own.
//! Prices are those of Linux.

use super::{Instance, Live, ROOT_VOLUME, State};
use crate::base::Cost;
use crate::resources::prices::monthly;

/// By its spec. With an `elastic` IP it has no other public address: that one has its own price.
pub(super) fn wanted(spec: &Instance, region: &str, elastic: bool) -> Cost {
    let size = spec.root_volume.size_gib.or_else(|| spec.ami.root_gib());
    let disk = match size {
        Some(size) => disk(&spec.root_volume.volume_type, size, region),
        None => Cost::unknown(format!("a root volume as large as `{}`", spec.ami)),
    };
    if spec.state == State::Stopped {
        return disk;
    }
    let address = match &spec.subnet {
        _ if elastic => Cost::default(),
        // Default subnets and those of `networks` give each instance an address.
        None => monthly("ec2/public-ipv4", region, 1.0),
        Some(_) => Cost::unknown("a public address, if the subnet gives one"),
    };
    running(&spec.instance_type, spec.monitoring, region) + disk + address
}

/// As it is now.
pub(super) fn now(live: &Live, region: &str) -> Cost {
    let declared = live.tags.value(ROOT_VOLUME).and_then(|root| {
        let (volume_type, gib) = root.split_once(' ')?;
        Some((volume_type, gib.parse().ok()?))
    });
    let disk = match (&live.root, declared) {
        (Some(root), _) => disk(&root.volume_type, root.size_gib, region),
        (None, Some((volume_type, gib))) => disk(volume_type, gib, region),
        (None, None) => Cost::unknown("its root volume"),
    };
    if !matches!(live.state.as_str(), "running" | "pending") {
        return disk;
    }
    let address = match &live.public_ip {
        Some(_) if !live.elastic => monthly("ec2/public-ipv4", region, 1.0),
        _ => Cost::default(),
    };
    running(&live.instance_type, live.monitoring, region) + disk + address
}

fn running(instance_type: &str, monitoring: bool, region: &str) -> Cost {
    let detailed = if monitoring {
        Cost::unknown("detailed monitoring")
    } else {
        Cost::default()
    };
    let machine = monthly(&format!("ec2/{instance_type}"), region, 1.0);
    machine + detailed + Cost::by_use("traffic")
}

fn disk(volume_type: &str, size_gib: i32, region: &str) -> Cost {
    let disk = monthly(&format!("ebs/{volume_type}"), region, f64::from(size_gib));
    match volume_type {
        "standard" => disk + Cost::by_use("disk requests"),
        _ => disk,
    }
}
