//! Words that a service's fields take.

use aws_sdk_ecs::types;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whose machines tasks run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum LaunchType {
    /// AWS's
    #[serde(rename = "FARGATE")]
    Fargate,
    /// EC2 instances that joined the cluster
    #[serde(rename = "EC2")]
    Ec2,
}

impl LaunchType {
    /// As AWS words it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fargate => "FARGATE",
            Self::Ec2 => "EC2",
        }
    }

    pub(super) fn sdk(self) -> types::LaunchType {
        types::LaunchType::from(self.word())
    }
}

/// Whose tags a service's tasks carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PropagateTags {
    /// The service's
    #[default]
    Service,
    /// The task definition's
    TaskDefinition,
    /// None
    None,
}

impl PropagateTags {
    pub(super) fn sdk(self) -> types::PropagateTags {
        match self {
            Self::Service => types::PropagateTags::Service,
            Self::TaskDefinition => types::PropagateTags::TaskDefinition,
            Self::None => types::PropagateTags::None,
        }
    }

    /// The word for what AWS reports.
    pub(super) fn shown(told: &str) -> String {
        told.to_lowercase()
    }
}
