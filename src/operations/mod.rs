//! Host operations, one per file, and their registry. They tell which commands are needed; nothing
//! here connects to anything but by the session it is given, and nothing knows AWS.

pub mod authorized_keys;
pub mod change;
pub mod command;
pub mod declared;
pub mod directory;
pub mod file;
pub mod group;
mod guard;
pub mod known_files;
pub mod line;
pub mod line_edit;
pub mod manifest;
pub mod mode;
pub mod names;
pub mod packages;
pub mod placement;
pub mod prelude;
pub mod reboot;
pub mod registry;
pub mod repository;
pub mod round;
pub mod seen_file;
pub mod service;
pub mod template;
pub mod timer;
pub mod unit;
pub mod user;

pub use declared::Declared;
pub use registry::{Entry, Planned};

/// Every operation, in the order that the reference lists them.
pub const ALL: [Entry; 14] = [
    Entry::of::<packages::Packages>(),
    Entry::of::<repository::Repository>(),
    Entry::of::<file::File>(),
    Entry::of::<template::Template>(),
    Entry::of::<directory::Directory>(),
    Entry::of::<line::Line>(),
    Entry::of::<user::User>(),
    Entry::of::<group::Group>(),
    Entry::of::<authorized_keys::AuthorizedKeys>(),
    Entry::of::<service::Service>(),
    Entry::of::<unit::Unit>(),
    Entry::of::<command::Command>(),
    Entry::of::<timer::Timer>(),
    Entry::of::<reboot::Reboot>(),
];
