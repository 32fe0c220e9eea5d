use std::collections::BTreeMap;

use super::*;

const LIMITS: Limits = Limits {
    records: 500,
    bytes: 5 * 1024 * 1024,
    per_pair: usize::MAX,
    linger: Duration::from_millis(100),
};

fn lanes(pairs: usize, limits: Limits) -> Lanes {
    let names: Vec<_> = (0..pairs).map(|pair| format!("PAIR{pair}")).collect();
    Lanes::new(&names, limits)
}

fn ids(batch: &Batch) -> Vec<(usize, u64)> {
    batch
        .iter()
        .map(|trade| (trade.pair, trade.mark.id))
        .collect()
}

fn later(now: Instant, ms: u64) -> Instant {
    now + Duration::from_millis(ms)
}

#[test]
fn a_few_records_linger_and_many_do_not() {
    let (mut lanes, now) = (lanes(2, LIMITS), Instant::now());
    lanes.push(Trade::of(0, 1, "x"), now);
    assert_eq!(lanes.due(), Some(later(now, 100)));
    assert!(lanes.batch(later(now, 99), false).is_none());
    assert_eq!(ids(&lanes.batch(later(now, 99), true).unwrap()), [(0, 1)]);
    for id in 1..=500 {
        lanes.push(Trade::of(1, id, "x"), now);
    }
    assert_eq!(lanes.batch(now, false).unwrap().len(), 500);
    assert!(lanes.is_empty());
    assert!(lanes.due().is_none());
}

#[test]
fn a_request_holds_no_more_than_it_may() {
    let (mut lanes, now) = (lanes(1, LIMITS), Instant::now());
    let line = "x".repeat(64 * 1024);
    for id in 1..=100 {
        lanes.push(Trade::of(0, id, &line), now);
    }
    let batch = lanes.batch(now, true).unwrap();
    // 64 KiB and the key of five letters, 80 times, are over 5 MiB
    assert_eq!(batch.len(), 79);
    for id in 101..=700 {
        lanes.push(Trade::of(0, id, "x"), now);
    }
    lanes.answered(batch, &[false; 79], now);
    assert_eq!(
        lanes.batch(now, true).unwrap().len(),
        79 - 58 + 479,
        "500 records are the most"
    );
}

#[test]
fn a_pair_is_in_one_request_at_a_time_and_pairs_in_several() {
    let (mut lanes, now) = (lanes(2, LIMITS), Instant::now());
    for id in 1..=600 {
        lanes.push(Trade::of(0, id, "x"), now);
    }
    let first = lanes.batch(now, true).unwrap();
    assert_eq!(first.len(), 500);
    assert!(
        lanes.batch(now, true).is_none(),
        "newer records of the pair overtake"
    );
    lanes.push(Trade::of(1, 1, "x"), now);
    let second = lanes.batch(now, true).unwrap();
    assert_eq!(ids(&second), [(1, 1)]);
    let marks = lanes.answered(first, &[false; 500], now);
    assert_eq!(marks, [(0, Mark { id: 500, time: 500 })]);
    assert_eq!(lanes.batch(now, true).unwrap().len(), 100);
}

#[test]
fn what_was_refused_goes_again_alone_and_holds_back_newer_ones() {
    let (mut lanes, now) = (lanes(2, LIMITS), Instant::now());
    for id in 1..=4 {
        lanes.push(Trade::of(0, id, "x"), now);
    }
    lanes.push(Trade::of(1, 1, "x"), now);
    let batch = lanes.batch(now, true).unwrap();
    lanes.push(Trade::of(0, 5, "x"), now);
    let marks = lanes.answered(batch, &[false, true, false, true, false], now);
    assert_eq!(
        marks,
        [(0, Mark { id: 1, time: 1 }), (1, Mark { id: 1, time: 1 })]
    );
    assert!(lanes.batch(now, true).is_none(), "no pause after a refusal");
    assert!(lanes.due().unwrap() > now);

    let rested = later(now, 200);
    let again = lanes.batch(rested, true).unwrap();
    assert_eq!(ids(&again), [(0, 2), (0, 4)]);
    let marks = lanes.answered(again, &[false, true], rested);
    assert_eq!(marks, [(0, Mark { id: 2, time: 2 })]);

    let rested = later(rested, 400);
    let again = lanes.batch(rested, true).unwrap();
    assert_eq!(ids(&again), [(0, 4)]);
    assert_eq!(
        lanes.answered(again, &[false], rested),
        [(0, Mark { id: 4, time: 4 })]
    );
    assert_eq!(ids(&lanes.batch(rested, true).unwrap()), [(0, 5)]);
}

#[test]
fn what_came_through_beside_a_refused_one_counts_when_that_is_through() {
    let (mut lanes, now) = (lanes(1, LIMITS), Instant::now());
    for id in 1..=3 {
        lanes.push(Trade::of(0, id, "x"), now);
    }
    let batch = lanes.batch(now, true).unwrap();
    assert_eq!(lanes.answered(batch, &[true, false, false], now), []);
    let again = lanes.batch(later(now, 200), true).unwrap();
    assert_eq!(
        lanes.answered(again, &[false], now),
        [(0, Mark { id: 3, time: 3 })]
    );
}

#[test]
fn in_strict_order_a_request_has_one_record_of_a_pair() {
    let limits = Limits {
        per_pair: 1,
        ..LIMITS
    };
    let (mut lanes, now) = (lanes(2, limits), Instant::now());
    for id in 1..=3 {
        lanes.push(Trade::of(0, id, "x"), now);
        lanes.push(Trade::of(1, id, "x"), now);
    }
    assert_eq!(ids(&lanes.batch(now, true).unwrap()), [(0, 1), (1, 1)]);
    assert!(lanes.batch(now, true).is_none());
}

/// Requests are answered in any order and in part: all records get through, and no refused one is overtaken by a
/// record of a later request (in strict order, by none)
#[test]
fn under_partial_failures_everything_gets_through_in_order() {
    for seed in 0..100 {
        let mut random = fastrand::Rng::with_seed(seed);
        let strict = random.bool();
        let per_pair = if strict { 1 } else { usize::MAX };
        let limits = Limits {
            records: 20,
            per_pair,
            ..LIMITS
        };
        let (mut lanes, mut now) = (lanes(3, limits), Instant::now());
        let (mut flights, mut taken, mut made) = (Vec::new(), BTreeMap::new(), [0; 3]);
        let mut marks = BTreeMap::new();
        while made.iter().sum::<u64>() < 600 || !lanes.is_empty() || !flights.is_empty() {
            now = later(now, random.u64(..100));
            if made.iter().sum::<u64>() < 600 {
                for _ in 0..random.u8(..20) {
                    let pair = random.usize(..3);
                    made[pair] += 1;
                    lanes.push(Trade::of(pair, made[pair], "x"), now);
                }
            }
            flights.extend(lanes.batch(now, random.bool()));
            if flights.is_empty() || random.bool() {
                continue;
            }
            let batch: Batch = flights.swap_remove(random.usize(..flights.len()));
            let refused: Vec<_> = batch.iter().map(|_| random.u8(..4) == 0).collect();
            for ((pair, id), refused) in ids(&batch).into_iter().zip(&refused) {
                if !refused {
                    taken.entry(pair).or_insert_with(Vec::new).push(id);
                }
            }
            for (pair, mark) in lanes.answered(batch, &refused, now) {
                let before = marks.insert(pair, mark.id).unwrap_or(0);
                assert!(mark.id > before, "seed {seed}");
                let through = taken[&pair].iter().filter(|id| **id <= mark.id).count();
                assert_eq!(through as u64, mark.id, "seed {seed}");
            }
        }
        for (pair, mut ids) in taken {
            if strict {
                assert!(ids.is_sorted(), "seed {seed}: {ids:?}");
            }
            ids.sort_unstable();
            assert_eq!(ids, (1..=made[pair]).collect::<Vec<_>>(), "seed {seed}");
            assert_eq!(marks[&pair], made[pair], "seed {seed}");
        }
    }
}
