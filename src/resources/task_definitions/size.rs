//! How large a task is, and what that costs on Fargate: <https://aws.amazon.com/fargate/pricing/>.

use indexmap::IndexMap;
use serde::Deserialize;

use super::{Architecture, Live};
use crate::base::deserialize::from_node;
use crate::base::{Cost, Node, Value};
use crate::contract::Found;
use crate::resources::prices::monthly;

/// Units of CPU that are one processor.
const PROCESSOR: f64 = 1024.0;
const MIB_IN_GIB: f64 = 1024.0;

/// How large a task is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// In units of which 1024 are one processor.
    cpu: i32,
    memory_mib: i32,
    #[serde(default)]
    architecture: Architecture,
    ephemeral_storage_gib: Option<i32>,
}

impl Size {
    /// As a spec has it, whose other fields need not be known.
    #[must_use]
    pub fn of_spec(spec: &Node) -> Option<Self> {
        let fields = ["cpu", "memory_mib", "architecture", "ephemeral_storage_gib"];
        let given = spec.as_map()?.iter();
        let given = given.filter(|(field, _)| fields.contains(&field.as_str()));
        let given: IndexMap<_, _> = given
            .map(|(field, entry)| (field.clone(), entry.clone()))
            .collect();
        from_node(&Node::new(&spec.at, Value::Map(given.into()))).ok()
    }

    /// As the revision `arn` has it, if that is what was found.
    #[must_use]
    pub fn of_revision(arn: &str, found: &Found) -> Option<Self> {
        let live = found.live.downcast_ref::<Live>();
        let live = live.filter(|live| live.arn == arn)?;
        let arm = live.architecture == Architecture::Arm.word();
        Some(Self {
            cpu: live.cpu?,
            memory_mib: live.memory_mib?,
            architecture: if arm {
                Architecture::Arm
            } else {
                Architecture::X86
            },
            ephemeral_storage_gib: live.ephemeral_storage_gib,
        })
    }

    /// What one task of this size costs a month on Fargate.
    #[must_use]
    pub fn on_fargate(&self, region: &str) -> Cost {
        let (processors, memory) = match self.architecture {
            Architecture::X86 => ("ecs/fargate-vcpu", "ecs/fargate-gib"),
            Architecture::Arm => ("ecs/fargate-arm-vcpu", "ecs/fargate-arm-gib"),
        };
        let disk = match self.ephemeral_storage_gib {
            None => Cost::default(),
            Some(_) => Cost::unknown("disks of tasks beyond 20 GiB"),
        };
        monthly(processors, region, f64::from(self.cpu) / PROCESSOR)
            + monthly(memory, region, f64::from(self.memory_mib) / MIB_IN_GIB)
            + disk
    }
}
