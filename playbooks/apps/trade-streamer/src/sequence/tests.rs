use super::*;

fn event(id: u64) -> Event {
    Event {
        id,
        time: id,
        line: "".into(),
    }
}

fn known(id: u64) -> Sequencer {
    Sequencer::new(vec![Some(Mark { id, time: id })])
}

fn ids(fx: &mut Effects) -> Vec<u64> {
    fx.passed.drain(..).map(|(_, event)| event.id).collect()
}

fn live(sequencer: &mut Sequencer, ids: impl IntoIterator<Item = u64>, fx: &mut Effects) {
    for id in ids {
        sequencer.live(0, event(id), fx);
    }
}

/// Answers the only request with these
fn page(
    sequencer: &mut Sequencer,
    ids: impl IntoIterator<Item = u64>,
    full: bool,
    fx: &mut Effects,
) {
    let ask = fx.asks.pop().expect("nothing is asked");
    assert!(fx.asks.is_empty(), "{:?} and {ask:?} at once", fx.asks);
    let events = ids.into_iter().map(event).collect();
    sequencer.page(Page { ask, events, full }, fx);
}

#[test]
fn without_a_state_it_begins_with_what_comes() {
    let (mut sequencer, mut fx) = (Sequencer::new(vec![None]), Effects::default());
    sequencer.connected(&mut fx);
    assert!(fx.asks.is_empty());
    live(&mut sequencer, [7, 8, 8, 7, 9], &mut fx);
    assert_eq!(
        fx.notes,
        [Note::First {
            pair: 0,
            id: 7,
            time: 7
        }]
    );
    assert_eq!(ids(&mut fx), [7, 8, 9]);
    assert!(fx.asks.is_empty());
}

#[test]
fn what_is_missing_comes_before_what_came_meanwhile() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    live(&mut sequencer, [11, 15, 16], &mut fx);
    assert_eq!(ids(&mut fx), [11]);
    assert_eq!(
        fx.asks,
        [Ask {
            pair: 0,
            from: 12,
            delay: Duration::ZERO
        }]
    );
    page(&mut sequencer, 12..=15, false, &mut fx);
    assert_eq!(ids(&mut fx), [12, 13, 14, 15, 16]);
    assert_eq!(fx.backfilled, 4);
    live(&mut sequencer, [17], &mut fx);
    assert_eq!(ids(&mut fx), [17]);
    assert!(fx.asks.is_empty() && fx.notes.is_empty());
}

#[test]
fn a_quiet_pair_is_asked_for_after_each_connection() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    sequencer.connected(&mut fx);
    page(&mut sequencer, [11, 12], false, &mut fx);
    assert_eq!(ids(&mut fx), [11, 12]);
    assert!(fx.asks.is_empty());
    sequencer.connected(&mut fx);
    page(&mut sequencer, [], false, &mut fx);
    assert!(fx.asks.is_empty() && fx.notes.is_empty());
}

#[test]
fn a_pair_that_has_become_quiet_is_looked_at() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    live(&mut sequencer, [11], &mut fx);
    sequencer.look(&mut fx);
    assert!(fx.asks.is_empty());
    sequencer.look(&mut fx);
    page(&mut sequencer, [12], false, &mut fx);
    assert_eq!(ids(&mut fx), [11, 12]);
}

#[test]
fn live_trades_need_not_wait_for_an_answer_that_cannot_bring_more() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    sequencer.connected(&mut fx);
    live(&mut sequencer, [11, 12], &mut fx);
    assert_eq!(ids(&mut fx), [11, 12]);
    page(&mut sequencer, [11], false, &mut fx);
    assert!(ids(&mut fx).is_empty() && fx.asks.is_empty());
}

#[test]
fn full_pages_are_followed_by_the_next_one() {
    let (mut sequencer, mut fx) = (known(0), Effects::default());
    live(&mut sequencer, [2501], &mut fx);
    page(&mut sequencer, 1..=1000, true, &mut fx);
    page(&mut sequencer, 1001..=2000, true, &mut fx);
    assert_eq!(fx.asks[0].from, 2001);
    page(&mut sequencer, 2001..=2500, false, &mut fx);
    assert_eq!(ids(&mut fx), (1..=2501).collect::<Vec<_>>());
    assert!(fx.asks.is_empty() && fx.notes.is_empty());
}

#[test]
fn more_than_can_be_parked_is_asked_for_again() {
    let (mut sequencer, mut fx) = (known(0), Effects::default());
    let last = PARKED as u64 + 50;
    live(&mut sequencer, 2..=last, &mut fx);
    assert_eq!(sequencer.tracks[0].parked.len(), PARKED);
    page(&mut sequencer, [1], false, &mut fx);
    assert_eq!(ids(&mut fx), [1]);
    page(&mut sequencer, 2..=60, false, &mut fx);
    assert_eq!(ids(&mut fx), (2..=last).collect::<Vec<_>>());
    assert!(fx.asks.is_empty() && fx.notes.is_empty());
}

#[test]
fn a_dropped_frame_among_parked_ones_is_fetched_too() {
    let (mut sequencer, mut fx) = (known(0), Effects::default());
    live(&mut sequencer, [3, 5], &mut fx);
    page(&mut sequencer, [1, 2], false, &mut fx);
    assert_eq!(ids(&mut fx), [1, 2, 3]);
    page(&mut sequencer, [4, 5, 6], false, &mut fx);
    assert_eq!(ids(&mut fx), [4, 5, 6]);
    assert!(fx.asks.is_empty() && fx.notes.is_empty());
}

#[test]
fn what_the_exchange_no_longer_has_is_a_gap() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    sequencer.connected(&mut fx);
    page(&mut sequencer, [21, 22], false, &mut fx);
    assert_eq!(
        fx.notes,
        [Note::Gap {
            pair: 0,
            from: 11,
            to: 20
        }]
    );
    assert_eq!(ids(&mut fx), [21, 22]);
}

#[test]
fn an_answer_that_lags_behind_is_asked_for_again_before_it_is_a_gap() {
    let (mut sequencer, mut fx) = (known(10), Effects::default());
    live(&mut sequencer, [12], &mut fx);
    let mut pauses = Vec::new();
    for _ in 0..TRIES {
        page(&mut sequencer, [], false, &mut fx);
        pauses.push(fx.asks[0].delay);
    }
    assert!(
        pauses.is_sorted() && pauses[0] > Duration::ZERO,
        "{pauses:?}"
    );
    assert!(fx.notes.is_empty() && fx.passed.is_empty());
    page(&mut sequencer, [], false, &mut fx);
    assert_eq!(
        fx.notes,
        [Note::Gap {
            pair: 0,
            from: 11,
            to: 11
        }]
    );
    assert_eq!(ids(&mut fx), [12]);
    assert!(fx.asks.is_empty());
}

#[test]
fn ids_that_start_over_are_told_from_old_trades() {
    let (mut sequencer, mut fx) = (known(100_000), Effects::default());
    sequencer.connected(&mut fx);
    live(&mut sequencer, [99_000], &mut fx);
    assert!(fx.passed.is_empty());
    let time = 100_000 + STARTED_OVER_MS + 1;
    sequencer.live(0, Event { time, ..event(5) }, &mut fx);
    let told = Note::StartedOver {
        pair: 0,
        last: 100_000,
        id: 5,
        time,
    };
    assert_eq!(fx.notes, [told]);
    assert_eq!(ids(&mut fx), [5]);
    fx.notes.clear();
    page(&mut sequencer, [100_001], false, &mut fx);
    assert!(
        fx.passed.is_empty() && fx.notes.is_empty(),
        "a page of the time before counts"
    );
    sequencer.live(0, Event { time, ..event(6) }, &mut fx);
    assert_eq!(ids(&mut fx), [6]);
}

#[test]
fn pairs_do_not_wait_for_each_other() {
    let mark = |id| Some(Mark { id, time: id });
    let (mut sequencer, mut fx) = (Sequencer::new(vec![mark(1), mark(1)]), Effects::default());
    sequencer.live(0, event(3), &mut fx);
    sequencer.live(1, event(2), &mut fx);
    assert_eq!(fx.passed, [(1, event(2))]);
}

/// Frames are lost, pages lag, connections come and go: everything comes once and in order
#[test]
fn whatever_happens_trades_come_once_and_in_order() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut sequencer, mut fx) = (known(0), Effects::default());
        let (mut made, mut passed) = (0, Vec::new());
        while made < 3000 {
            match random.u8(..20) {
                0 => sequencer.connected(&mut fx),
                1 => made += random.u64(..300),
                2..5 if !fx.asks.is_empty() => {
                    let lag = made.saturating_sub(random.u64(..3));
                    let from = fx.asks[0].from;
                    let to = lag.min(from + 99);
                    page(&mut sequencer, from..=to, to == from + 99, &mut fx);
                }
                _ => {
                    made += 1;
                    live(&mut sequencer, [made], &mut fx);
                }
            }
            passed.append(&mut ids(&mut fx));
        }
        live(&mut sequencer, [made + 1], &mut fx);
        while !fx.asks.is_empty() {
            let from = fx.asks[0].from;
            page(
                &mut sequencer,
                from..=(made + 1).min(from + 99),
                made + 1 >= from + 99,
                &mut fx,
            );
        }
        passed.append(&mut ids(&mut fx));
        assert!(fx.notes.is_empty(), "seed {seed}: {:?}", fx.notes);
        assert_eq!(passed, (1..=made + 1).collect::<Vec<_>>(), "seed {seed}");
    }
}
