//! YAML text to located values; variables, expressions, `for_each`, references, schema. Knows the
//! sections only by their JSON Schemas, never a kind.

mod alternatives;
mod chains;
mod convert;
mod cycle;
pub mod declaration;
mod declare;
mod document;
mod each;
mod expand;
mod expression;
mod fields;
mod files;
mod items;
mod jinja;
pub mod load;
pub mod loaded;
mod misfit;
mod misread;
mod names;
mod place;
mod references;
mod scalar;
pub mod schema;
mod scope;
mod settings;
pub mod setups;
mod template;
mod tokens;
mod types;
mod values;
mod vars;
mod yaml;

pub use declaration::{Declaration, Each, How, Reference};
pub use files::Bundled;
pub use load::{LoadOptions, Section};
pub use loaded::{Facts, Playbook};
pub use schema::schema;
