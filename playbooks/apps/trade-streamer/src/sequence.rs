//! Which trade comes next: finds gaps, drops what was there already, keeps the order of each pair.
//!
//! Knows neither sockets nor clocks. Trades that come live while older ones are missing are parked; the missing
//! ones are asked for page by page, until the pages reach what is parked.

use std::collections::VecDeque;
use std::time::Duration;

use crate::event::Event;
use crate::state::Mark;

/// How many live trades a pair keeps while older ones are missing; what is beyond is asked for again
const PARKED: usize = 1000;

/// How often a page without the missing trades is asked for again: what is asked may lag behind what is sent
const TRIES: u32 = 6;

/// The first pause before asking again
const PAUSE: Duration = Duration::from_millis(100);

/// A trade that is this much younger than the last one, yet has a smaller id: the ids started over
const STARTED_OVER_MS: u64 = 2000;

/// A request for the trades of a pair from an id on
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) pair: usize,
    pub(crate) from: u64,
    pub(crate) delay: Duration,
}

/// What the exchange answered to an [`Ask`]
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) ask: Ask,
    /// In ascending order of ids
    pub(crate) events: Vec<Event>,
    /// As many as fit into a page: there may be more
    pub(crate) full: bool,
}

/// Something worth telling
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// The first trade of a pair of which nothing was known
    First { pair: usize, id: u64, time: u64 },
    /// The exchange does not have these (inclusive) any more
    Gap { pair: usize, from: u64, to: u64 },
    /// The exchange began to count anew
    StartedOver {
        pair: usize,
        last: u64,
        id: u64,
        time: u64,
    },
}

/// What is to be done, in this order: notes, trades, requests
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) notes: Vec<Note>,
    pub(crate) passed: Vec<(usize, Event)>,
    pub(crate) asks: Vec<Ask>,
    /// How many of the passed trades came by pages
    pub(crate) backfilled: u64,
}

/// All pairs
#[derive(Debug)]
pub(crate) struct Sequencer {
    tracks: Vec<Track>,
}

#[derive(Debug)]
struct Track {
    pair: usize,
    /// The last one passed on
    last: Option<Mark>,
    parked: VecDeque<Event>,
    /// The highest id that came live
    seen: u64,
    /// A request is on its way
    asking: bool,
    fruitless: u32,
    /// A trade came live since the last look
    stirred: bool,
}

impl Sequencer {
    /// Goes on behind what was acknowledged last, by pair
    pub(crate) fn new(known: Vec<Option<Mark>>) -> Self {
        let track = |(pair, last)| Track {
            pair,
            last,
            parked: VecDeque::new(),
            seen: 0,
            asking: false,
            fruitless: 0,
            stirred: false,
        };
        Self {
            tracks: known.into_iter().enumerate().map(track).collect(),
        }
    }

    /// The stream is there (again): what came in the meantime is asked for, also of pairs that are quiet now
    pub(crate) fn connected(&mut self, fx: &mut Effects) {
        for track in &mut self.tracks {
            if track.last.is_some() {
                track.ask(Duration::ZERO, fx);
            }
        }
    }

    /// Some time has passed: pairs without a live trade in it may have missed their last ones, so they are asked for
    pub(crate) fn look(&mut self, fx: &mut Effects) {
        for track in &mut self.tracks {
            if !std::mem::take(&mut track.stirred) && track.last.is_some() {
                track.ask(Duration::ZERO, fx);
            }
        }
    }

    /// A trade came over the stream
    pub(crate) fn live(&mut self, pair: usize, event: Event, fx: &mut Effects) {
        self.tracks[pair].live(event, fx);
    }

    /// A page came
    pub(crate) fn page(&mut self, page: Page, fx: &mut Effects) {
        self.tracks[page.ask.pair].page(page, fx);
    }
}

impl Track {
    fn live(&mut self, event: Event, fx: &mut Effects) {
        let pair = self.pair;
        self.stirred = true;
        let Some(last) = self.last else {
            fx.notes.push(Note::First {
                pair,
                id: event.id,
                time: event.time,
            });
            return self.pass(event, fx);
        };
        if event.id <= last.id {
            if event.time > last.time + STARTED_OVER_MS {
                fx.notes.push(Note::StartedOver {
                    pair,
                    last: last.id,
                    id: event.id,
                    time: event.time,
                });
                self.parked.clear();
                self.seen = event.id;
                self.pass(event, fx);
            }
            return;
        }
        self.seen = self.seen.max(event.id);
        if event.id == last.id + 1 {
            self.pass(event, fx);
            self.unpark(fx);
        } else {
            if self.parked.len() == PARKED {
                self.parked.pop_front();
            }
            self.parked.push_back(event);
            self.ask(Duration::ZERO, fx);
        }
    }

    fn page(&mut self, page: Page, fx: &mut Effects) {
        self.asking = false;
        let Some(Mark { id: before, .. }) = self.last else {
            return;
        };
        // The ids started over meanwhile: this page is of the time before
        let stale = page.ask.from > before + 1;
        for event in page.events.into_iter().filter(|_| !stale) {
            if event.id > self.next() {
                self.unpark(fx);
            }
            if event.id > self.next() {
                self.give_up_to(event.id, fx);
            }
            if event.id == self.next() {
                fx.backfilled += 1;
                self.pass(event, fx);
            }
        }
        self.unpark(fx);
        let fruitful = self.next() > before + 1;
        if fruitful {
            self.fruitless = 0;
        }
        if self.missing() && !fruitful && !stale {
            self.fruitless += 1;
            if self.fruitless > TRIES {
                self.fruitless = 0;
                let known = self.parked.front().map_or(self.seen + 1, |event| event.id);
                self.give_up_to(known, fx);
                self.unpark(fx);
            }
        }
        if self.missing() {
            let pause = match self.fruitless {
                0 => Duration::ZERO,
                n => PAUSE * 2_u32.pow(n - 1),
            };
            self.ask(pause, fx);
        } else {
            self.fruitless = 0;
            if page.full && fruitful {
                self.ask(Duration::ZERO, fx);
            }
        }
    }

    /// The id that comes next
    fn next(&self) -> u64 {
        self.last.map_or(0, |last| last.id + 1)
    }

    fn missing(&self) -> bool {
        !self.parked.is_empty() || self.seen >= self.next()
    }

    fn ask(&mut self, delay: Duration, fx: &mut Effects) {
        if !self.asking {
            self.asking = true;
            let (pair, from) = (self.pair, self.next());
            fx.asks.push(Ask { pair, from, delay });
        }
    }

    fn pass(&mut self, event: Event, fx: &mut Effects) {
        self.last = Some(Mark {
            id: event.id,
            time: event.time,
        });
        fx.passed.push((self.pair, event));
    }

    /// Passes on what is parked, as far as nothing is missing before it
    fn unpark(&mut self, fx: &mut Effects) {
        while let Some(event) = self
            .parked
            .pop_front_if(|event| event.id <= self.last.map_or(0, |last| last.id + 1))
        {
            if event.id == self.next() {
                self.pass(event, fx);
            }
        }
    }

    /// Nobody has what is missing before `id`
    fn give_up_to(&mut self, id: u64, fx: &mut Effects) {
        if let Some(last) = &mut self.last {
            fx.notes.push(Note::Gap {
                pair: self.pair,
                from: last.id + 1,
                to: id - 1,
            });
            last.id = id - 1;
        }
    }
}

#[cfg(test)]
mod tests;
