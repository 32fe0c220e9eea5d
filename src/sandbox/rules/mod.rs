//! What AWS refuses and the emulator does not: small entries, each with its error code and the
//! page that documents it. They look at a call before it reaches the emulator.

mod addresses;
mod groups;
mod protection;
mod rule;
mod states;
mod tags;

pub(crate) use rule::{Rule, for_action};

/// All rules, in the order they are asked.
const ALL: &[&[Rule]] = &[
    tags::RULES,
    states::RULES,
    protection::RULES,
    groups::RULES,
    addresses::RULES,
];
