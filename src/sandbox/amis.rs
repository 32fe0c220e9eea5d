//! The images that the sandbox's cloud offers. Whatever its name, each runs as the node image
//! (Debian 12): the name decides the default user and the root device only.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base::hex;

/// Amazon's account, the owner of Amazon Linux.
pub(crate) const AMAZON: &str = "137112412989";
/// Canonical's account, the owner of Ubuntu.
const CANONICAL: &str = "099720109477";
/// Debian's account.
const DEBIAN: &str = "136693071363";

struct Family {
    owner: &'static str,
    user: &'static str,
    root_device: &'static str,
    description: &'static str,
    /// With `{arch}` and `{date}` (`YYYYMMDD`) in it.
    name: &'static str,
    /// The distribution's names of x86-64 and 64-bit Arm.
    architectures: [&'static str; 2],
}

const CANONICAL_NAMES: [&str; 2] = ["amd64", "arm64"];
const AMAZON_NAMES: [&str; 2] = ["x86_64", "arm64"];

/// Two of each, so that "the newest" means something.
const DATES: [&str; 2] = ["20260914", "20261019"];

const fn ubuntu(name: &'static str, description: &'static str) -> Family {
    Family {
        owner: CANONICAL,
        user: "ubuntu",
        root_device: "/dev/sda1",
        description,
        name,
        architectures: CANONICAL_NAMES,
    }
}

const fn debian(name: &'static str, description: &'static str) -> Family {
    Family {
        owner: DEBIAN,
        user: "admin",
        root_device: "/dev/xvda",
        description,
        name,
        architectures: CANONICAL_NAMES,
    }
}

const fn amazon(name: &'static str, description: &'static str) -> Family {
    Family {
        owner: AMAZON,
        user: "ec2-user",
        root_device: "/dev/xvda",
        description,
        name,
        architectures: AMAZON_NAMES,
    }
}

const FAMILIES: [Family; 7] = [
    ubuntu(
        "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-{arch}-server-{date}",
        "Canonical, Ubuntu, 20.04 LTS",
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-{arch}-server-{date}",
        "Canonical, Ubuntu, 22.04 LTS",
    ),
    ubuntu(
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{arch}-server-{date}",
        "Canonical, Ubuntu, 24.04 LTS",
    ),
    debian("debian-11-{arch}-{date}-1896", "Debian 11"),
    debian("debian-12-{arch}-{date}-1896", "Debian 12"),
    amazon(
        "al2023-ami-2023.6.{date}.0-kernel-6.1-{arch}",
        "Amazon Linux 2023",
    ),
    amazon("amzn2-ami-hvm-2.0.{date}.0-{arch}-gp2", "Amazon Linux 2"),
];

struct Image {
    id: String,
    name: String,
    family: &'static Family,
    arm: bool,
    date: &'static str,
}

fn images() -> impl Iterator<Item = Image> {
    let of = |family: &'static Family, arm: bool, date: &'static str| {
        let name = family
            .name
            .replace("{arch}", family.architectures[usize::from(arm)])
            .replace("{date}", date);
        let hash = Sha256::digest(&name);
        let digits = hex(&hash[..8]);
        Image {
            id: format!("ami-0{digits}"),
            name,
            family,
            arm,
            date,
        }
    };
    FAMILIES.iter().flat_map(move |family| {
        DATES
            .into_iter()
            .flat_map(move |date| [false, true].map(|arm| of(family, arm, date)))
    })
}

/// The list in the form that the emulator loads.
pub(super) fn listed() -> Value {
    let entry = |image: Image| {
        let (year, month, day) = (&image.date[..4], &image.date[4..6], &image.date[6..]);
        json!({
            "ami_id": image.id,
            "name": image.name,
            "description": image.family.description,
            "owner_id": image.family.owner,
            "image_location": format!("{}/{}", image.family.owner, image.name),
            "architecture": if image.arm { "arm64" } else { "x86_64" },
            "root_device_name": image.family.root_device,
            "creation_date": format!("{year}-{month}-{day}T06:00:00.000Z"),
            "root_device_type": "ebs",
            "virtualization_type": "hvm",
            "hypervisor": "xen",
            "image_type": "machine",
            "state": "available",
            "sriov": "simple",
            "public": true,
        })
    };
    images().map(entry).collect()
}

fn family(id: &str) -> Option<&'static Family> {
    images()
        .find(|image| image.id == id)
        .map(|image| image.family)
}

/// The default user of an image; Ubuntu's for one that is not listed.
pub(crate) fn user(id: &str) -> &'static str {
    family(id).map_or("ubuntu", |family| family.user)
}

/// The root device of an image.
pub(crate) fn root_device(id: &str) -> &'static str {
    family(id).map_or("/dev/sda1", |family| family.root_device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_its_own_id_and_knows_its_user() {
        let mut ids: Vec<String> = images().map(|image| image.id).collect();
        assert_eq!(ids.len(), 28);
        assert!(ids.iter().all(|id| id.len() == 21));
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 28);
        for image in images() {
            assert_eq!(user(&image.id), image.family.user);
        }
    }
}
