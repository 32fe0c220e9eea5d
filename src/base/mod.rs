//! Plain values that every other folder speaks in; this folder knows none of them.

pub mod address;
pub mod blob;
pub mod cost;
pub mod deserialize;
pub mod diff;
pub mod error;
pub mod hex;
pub mod location;
pub mod node;
pub mod outputs;
pub mod secret;
pub mod shared;
pub mod suggestion;
pub mod world;
pub mod written;

pub use address::Address;
pub use blob::Blob;
pub use cost::Cost;
pub use diff::{Diff, Effect, FieldChange, Shown};
pub use error::{Error, ErrorKind, Errors, Result, ResultExt};
pub use hex::hex;
pub use location::{Location, Source};
pub use node::{Node, Value};
pub use outputs::{OutputMeaning, Outputs};
pub use secret::Secret;
pub use shared::Shared;
pub use world::{Known, World};
pub use written::{Expansion, Sections, Written};
