//! The subnets that a network should have, beside those that it has.

use super::cidr::Cidr;
use super::{Live, LiveSubnet, Network};
use crate::base::{Diff, Shown};

/// A subnet that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The zone, where the playbook names it.
    pub(super) zone: Option<String>,
    pub(super) cidr: String,
}

impl Wanted {
    pub(super) fn is(&self, live: &LiveSubnet) -> bool {
        let zone = self.zone.as_ref();
        live.cidr == self.cidr && zone.is_none_or(|zone| *zone == live.zone)
    }

    fn words(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{} ({zone})", self.cidr),
            None => self.cidr.clone(),
        }
    }
}

/// All that should be there, in the order of the zones.
pub(super) fn wanted(spec: &Network) -> Vec<Wanted> {
    if let Some(subnets) = &spec.subnets {
        let subnets = subnets.iter().map(|subnet| Wanted {
            zone: Some(subnet.zone.clone()),
            cidr: subnet.cidr.clone(),
        });
        return subnets.collect();
    }
    let whole = Cidr::read(&spec.cidr);
    let parts = whole.map(|whole| {
        (0..spec.zone_count()).map(move |index| Wanted {
            zone: None,
            cidr: whole.sixteenth(index).to_string(),
        })
    });
    parts.into_iter().flatten().collect()
}

/// Those that are there and should not be.
pub(super) fn surplus<'a>(live: &'a Live, wanted: &[Wanted]) -> Vec<&'a LiveSubnet> {
    let is_wanted = |subnet: &&LiveSubnet| wanted.iter().any(|it| it.is(subnet));
    live.subnets.iter().filter(|it| !is_wanted(it)).collect()
}

/// Adds what differs.
pub(super) fn diff(diff: Diff, spec: &Network, live: &Live) -> Diff {
    let wanted = wanted(spec);
    let missing = |it: &&Wanted| !live.subnets.iter().any(|subnet| it.is(subnet));
    let missing = wanted.iter().filter(missing).count();
    let surplus = surplus(live, &wanted);
    if missing == 0 && surplus.is_empty() {
        return diff;
    }
    let (field, old, new) = if spec.subnets.is_none() && (missing == 0 || surplus.is_empty()) {
        let count = Shown::of(live.subnets.len());
        ("zones", count, Shown::of(wanted.len()))
    } else {
        let old = live.subnets.iter();
        let old = old.map(|it| format!("{} ({})", it.cidr, it.zone));
        let new = wanted.iter().map(Wanted::words);
        ("subnets", Shown::list(old), Shown::list(new))
    };
    let diff = match surplus.as_slice() {
        [] => diff.field(field, old, new),
        gone => {
            let gone: Vec<_> = gone.iter().map(|it| it.cidr.as_str()).collect();
            let how = format!("removes the subnet {}", gone.join(", "));
            diff.interrupting(field, old, new, &how)
        }
    };
    diff.unsettles("subnet_ids").unsettles("zones")
}
