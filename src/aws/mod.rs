//! AWS by its SDK: configuration, clients, ownership tags, waits, errors, the record of calls.
//! Knows no kind of resource.

pub mod clients;
pub mod tags;

pub use clients::Clients;
pub use tags::{Owner, Tags};
