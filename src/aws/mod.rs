//! AWS by its SDK: configuration, clients, ownership tags, waits, errors, the record of calls.
//! Knows no kind of resource.

pub mod arn;
pub mod batch;
pub mod clients;
pub mod ec2;
pub mod ecs;
pub mod elb;
pub mod gate;
pub mod iam;
pub mod log_events;
pub mod on_its_way;
pub mod own_ip;
pub mod record;
pub mod refusal;
pub mod stored;
pub mod tagging;
pub mod tags;
pub mod token;
pub mod versions;
pub mod wait;

pub use arn::partition;
pub use clients::{Clients, ConnectOptions, Credentials, Identity, connect};
pub use on_its_way::OnItsWay;
pub use record::{Count, Record};
pub use refusal::{done, is_code, refused, unless};
pub use tagging::Tagged;
pub use tags::{Owner, Tags};
pub use token::client_token;
pub use wait::{Poll, Wait};
