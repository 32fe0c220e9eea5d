//! Plans, applies, destroys and proves; sees the traits of `contract` only, never a kind.

pub mod events;
pub mod outcome;
pub mod plan;
pub mod receipt;
pub mod run;
pub mod status;
pub mod stop;

pub use events::{Event, Observer};
pub use outcome::Outcome;
pub use plan::{Action, Plan, Step, StepPart};
pub use receipt::{Line, Listing, Receipt, Verdict};
pub use run::{Engine, Options, Prepared};
pub use status::{Status, StatusRow};
pub use stop::Stop;
