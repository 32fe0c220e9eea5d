//! Plans, applies, destroys and proves; sees the traits of `contract` only, never a kind.

mod apply;
mod bill;
mod check;
mod deletion;
mod destroy;
pub mod events;
mod glance;
pub mod graph;
pub mod journal;
mod limits;
mod monthly;
pub mod outcome;
mod ownership;
pub mod plan;
mod planning;
mod proof;
mod quotas;
pub mod receipt;
mod reporting;
mod run;
mod scope;
pub mod status;
pub mod stop;
mod survey;
pub mod walk;

pub use bill::Bill;
pub use check::check;
pub use events::{Event, Observer};
pub use limits::hold;
pub use outcome::Outcome;
pub use plan::{Action, Plan, Step, StepPart};
pub use planning::Prepared;
pub use receipt::{Line, Listing, Receipt, Verdict};
pub use run::{Engine, Options};
pub use status::{Status, StatusRow};
pub use stop::Stop;
