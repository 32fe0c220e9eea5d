//! Faults on demand: which calls go wrong, and how.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::call::Call;

/// A rule, as `POST /_sandbox/faults` takes it (a list of them).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Service, such as `ec2`; every service when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Action, such as `RunInstances`; every action when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Region; every region when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub after: u32,
    /// How many matching calls it strikes.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub effect: Effect,
}

/// What a fault does.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// Refused with the status and code of a service that is asked too often.
    Throttle,
    /// Refused with a status and a code.
    Error {
        /// HTTP status, such as 500.
        status: u16,
        /// Error code, such as `InternalError`.
        code: String,
    },
    /// Answered late.
    Latency {
        /// By so many milliseconds.
        ms: u64,
    },
    /// The connection is reset before anything was done.
    Reset,
    /// It is done, and the connection is reset without an answer.
    Lost,
    /// A read does not see what happened less than so long ago. EC2: what was created since then
    /// is not there yet. Other services: the same question gets the answer that it got the last
    /// time, and what was created since then is unknown where it is asked for by name.
    Stale {
        /// How long, in milliseconds.
        ms: u64,
    },
}

fn once() -> u32 {
    1
}

impl Effect {
    /// Its name in the record.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Throttle => "throttle",
            Self::Error { .. } => "error",
            Self::Latency { .. } => "latency",
            Self::Reset => "reset",
            Self::Lost => "lost",
            Self::Stale { .. } => "stale",
        }
    }
}

/// The rules in force.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds rules.
    pub(crate) fn add(&self, rules: Vec<Fault>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(rules);
    }

    /// Drops all rules.
    pub(crate) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The effect that strikes this call, if any; the first rule that matches counts it.
    pub(crate) fn strike(&self, call: &Call) -> Option<Effect> {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let matches =
            |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|wanted| wanted == is);
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0
                && matches(&rule.service, &call.service)
                && matches(&rule.action, &call.action)
                && matches(&rule.region, &call.region)
        })?;
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.effect.clone())
    }
}
