//! Shards shared out evenly: a worker with few takes some of those of one with many.

use std::collections::BTreeMap;

use super::leases::Lease;

/// The lease to take from the worker that has most of `others`, by one who has `mine`: that worker has
/// two more at least, so that what is even stays as it is.
pub(super) fn surplus(others: &[Lease], mine: usize) -> Option<&Lease> {
    let mut workers = BTreeMap::<&str, Vec<&Lease>>::new();
    for lease in others {
        let owner = lease.owner.as_deref()?;
        workers.entry(owner).or_default().push(lease);
    }
    let most = workers.into_values().max_by_key(Vec::len)?;
    (most.len() >= mine + 2).then(|| most.last().copied())?
}

#[cfg(test)]
mod tests {
    use super::super::position::Position;
    use super::*;

    #[test]
    fn all_come_to_have_about_as_many_and_then_keep_them() {
        let lease = |shard: usize| Lease {
            shard: shard.to_string(),
            owner: Some("a".to_owned()),
            counter: 0,
            position: Position::TrimHorizon,
        };
        let mut leases: Vec<Lease> = (0..7).map(lease).collect();
        let mut moves = 0;
        for worker in ["b", "c", "a", "b", "c", "a", "b", "c", "a"] {
            let (mine, others): (Vec<_>, Vec<_>) = leases
                .iter()
                .cloned()
                .partition(|lease| lease.owner.as_deref() == Some(worker));
            let Some(taken) = surplus(&others, mine.len()) else {
                continue;
            };
            let taken = leases.iter_mut().find(|lease| lease.shard == taken.shard);
            taken.unwrap().owner = Some(worker.to_owned());
            moves += 1;
        }
        let of = |worker| {
            let owned = |lease: &&Lease| lease.owner.as_deref() == Some(worker);
            leases.iter().filter(owned).count()
        };
        assert_eq!((of("a"), of("b"), of("c"), moves), (3, 2, 2, 4));
    }
}
