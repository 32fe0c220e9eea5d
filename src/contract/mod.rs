//! The traits that the engine drives and that every kind and operation implements; nothing else.

pub mod context;
mod estimate;
pub mod kind;
pub mod made;
pub mod operation;
pub mod quota;
pub mod resource;
pub mod typed;

pub use crate::aws::arn::Arn;
pub use crate::aws::tagging::{self, Tagged, TaggedResource};
pub use crate::aws::tags::{self, Ownership, Tags};
pub use context::{Context, Progress, Render, Target};
pub use kind::{Beside, Found, Iam, Kind, Part, Patience, Presence, Stage, Wanted, aws_name};
pub use operation::{Fact, Operation, Work};
pub use quota::{Quota, Scope};
pub use resource::{Live, Resource};
pub use typed::Typed;
