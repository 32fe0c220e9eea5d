//! Size, type and speed of a volume: what AWS allows, what differs, what it costs.

use super::{GP3_IOPS, GP3_THROUGHPUT, Live, Volume};
use crate::base::{Cost, Diff, Shown};
use crate::resources::prices::monthly;

/// What AWS allows of one type:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>.
struct Type {
    name: &'static str,
    /// GiB.
    size: (i32, i32),
    /// Operations a second, where they can be set, and how many for each GiB at most.
    iops: Option<((i32, i32), i32)>,
}

const TYPES: [Type; 7] = [
    Type {
        name: "gp3",
        size: (1, 65536),
        iops: Some(((3000, 80000), 500)),
    },
    Type {
        name: "gp2",
        size: (1, 16384),
        iops: None,
    },
    Type {
        name: "io1",
        size: (4, 16384),
        iops: Some(((100, 64000), 50)),
    },
    Type {
        name: "io2",
        size: (4, 65536),
        iops: Some(((100, 256_000), 1000)),
    },
    Type {
        name: "st1",
        size: (125, 16384),
        iops: None,
    },
    Type {
        name: "sc1",
        size: (125, 16384),
        iops: None,
    },
    Type {
        name: "standard",
        size: (1, 1024),
        iops: None,
    },
];

/// All that can be told to be wrong with it: the field, and what.
#[must_use]
pub fn problems(spec: &Volume) -> Vec<(&'static str, String)> {
    let name = &spec.volume_type;
    let Some(kind) = TYPES.iter().find(|it| it.name == name) else {
        let names: Vec<_> = TYPES.iter().map(|it| format!("`{}`", it.name)).collect();
        let text = format!(
            "`{name}` is not a volume type: there are {}",
            names.join(", ")
        );
        return vec![("volume_type", text)];
    };
    let mut found = Vec::new();
    let (least, most) = kind.size;
    match spec.size_gib {
        Some(size) if !(least..=most).contains(&size) => {
            let text = format!("a volume of type {name} has {least} to {most} GiB");
            found.push(("size_gib", text));
        }
        None if spec.snapshot.is_none() => {
            let text = "say how large it is: only one from a snapshot has a size of itself";
            found.push(("size_gib", text.to_owned()));
        }
        _ => {}
    }
    match (spec.iops, kind.iops) {
        (Some(_), None) => {
            found.push((
                "iops",
                format!("type {name} has no operations a second to set"),
            ));
        }
        (None, Some(_)) if name != "gp3" => {
            found.push(("iops", format!("type {name} needs its operations a second")));
        }
        (Some(iops), Some(((least, most), each))) => {
            let of_size = spec.size_gib.map_or(most, |size| size.saturating_mul(each));
            if !(least..=most).contains(&iops) {
                let text = format!("type {name} has {least} to {most} operations a second");
                found.push(("iops", text));
            } else if iops > of_size.max(least) {
                let text = format!("type {name} has at most {each} operations a second per GiB");
                found.push(("iops", text));
            }
        }
        _ => {}
    }
    match spec.throughput {
        Some(_) if name != "gp3" => {
            found.push(("throughput", "only gp3 has a throughput to set".to_owned()));
        }
        Some(mib) if !(125..=2000).contains(&mib) => {
            let text = "gp3 has 125 to 2000 MiB a second";
            found.push(("throughput", text.to_owned()));
        }
        Some(mib) if mib > spec.wanted_iops().unwrap_or(GP3_IOPS) / 4 => {
            let text = "gp3 has at most 1 MiB a second for 4 operations a second: raise `iops`";
            found.push(("throughput", text.to_owned()));
        }
        _ => {}
    }
    found
}

impl Volume {
    /// What it should have; `None` when its type tells.
    pub(super) fn wanted_iops(&self) -> Option<i32> {
        match self.volume_type.as_str() {
            "gp3" => Some(self.iops.unwrap_or(GP3_IOPS)),
            _ => self.iops,
        }
    }

    pub(super) fn wanted_throughput(&self) -> Option<i32> {
        let is_gp3 = self.volume_type == "gp3";
        is_gp3.then(|| self.throughput.unwrap_or(GP3_THROUGHPUT))
    }
}

/// Adds what differs and can be changed in place.
pub(super) fn diff(mut diff: Diff, spec: &Volume, live: &Live) -> Diff {
    if let Some(size) = spec.size_gib.filter(|size| *size > live.size_gib) {
        let old = Shown::of(live.size_gib);
        diff = diff
            .field("size_gib", old, Shown::of(size))
            .unsettles("size_gib");
    }
    diff = diff.field(
        "volume_type",
        Shown::of(&live.volume_type),
        Shown::of(&spec.volume_type),
    );
    for (field, old, new) in [
        ("iops", live.iops, spec.wanted_iops()),
        ("throughput", live.throughput, spec.wanted_throughput()),
    ] {
        if new.is_some() {
            diff = diff.field(field, Shown::option(old), Shown::option(new));
        }
    }
    diff
}

pub(super) fn cost(spec: &Volume, region: &str) -> Cost {
    let Some(size) = spec.size_gib else {
        return Cost::unknown("a volume of its snapshot's size");
    };
    let name = &spec.volume_type;
    let space = monthly(&format!("ebs/{name}"), region, f64::from(size));
    let beyond = |item: &str, wanted: Option<i32>, free: i32| match wanted.unwrap_or(free) - free {
        ..=0 => Cost::default(),
        more => monthly(item, region, f64::from(more)),
    };
    match name.as_str() {
        "gp3" => {
            space
                + beyond("ebs/gp3-iops", spec.iops, GP3_IOPS)
                + beyond("ebs/gp3-throughput", spec.throughput, GP3_THROUGHPUT)
        }
        "io1" | "io2" => space + beyond(&format!("ebs/{name}-iops"), spec.iops, 0),
        "standard" => space + Cost::by_use("requests"),
        _ => space,
    }
}
