//! Docker Engine by its API: networks, containers, images. Knows nothing of sandboxes or AWS.

mod build;
mod containers;
mod engine;
mod images;
mod networks;
mod sealed;

pub use build::{Build, Login};
pub use containers::{Container, Exec, Listed};
pub use engine::Engine;
pub use networks::Network;
