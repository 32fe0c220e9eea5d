//! What a run is going to do, as plain data: shown, saved, approved, compared.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::monthly::{members, rounded};
use crate::base::secret::redact;
use crate::base::{Address, Cost, Diff, Effect, Error, FieldChange, Location, Shown, hex};

/// What happens to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It is as declared.
    Nothing,
    /// It does not exist and is made.
    Create,
    /// It is changed in place.
    Update,
    /// It is made anew: the old one is deleted before, or after where a [`Step`] says so.
    Replace,
    /// It is deleted: the playbook no longer has it, or the stack is destroyed.
    Delete,
    /// It is protected or kept: destroy leaves it.
    Keep,
    /// It exists, is not ours, and is only looked up.
    Read,
    /// It could not be looked at, so nothing is done to it. It stops no others.
    Unread,
}

impl Action {
    /// What a difference asks for, of something that exists or does not.
    #[must_use]
    pub fn of(exists: bool, diff: &Diff) -> Self {
        match exists {
            false => Self::Create,
            true if diff.is_empty() => Self::Nothing,
            true if diff.replaces() => Self::Replace,
            true => Self::Update,
        }
    }

    /// The word in JSON documents and event lines.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Read => "read",
            Self::Unread => "unread",
        }
    }

    /// Something is going to be changed.
    #[must_use]
    pub fn is_change(self) -> bool {
        matches!(
            self,
            Self::Create | Self::Update | Self::Replace | Self::Delete
        )
    }
}

/// Something that comes and goes with a resource (a root volume).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPart {
    /// What it is, in AWS's noun: `volume`.
    pub noun: String,
    /// Its AWS id.
    pub id: String,
}

/// One resource's place in a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// The resource.
    pub address: Address,
    /// What happens to it.
    pub action: Action,
    /// What differs; for a new resource, what it will be.
    pub diff: Diff,
    /// AWS's id, when it exists.
    pub id: Option<String>,
    /// Why, when the playbook alone does not tell: `no longer in the playbook`.
    pub reason: Option<String>,
    /// A replacement makes the new one before the old one is deleted.
    pub create_first: bool,
    /// Where the playbook declares it.
    pub at: Option<Location>,
    /// What goes with it.
    pub parts: Vec<StepPart>,
    /// What it costs a month once this is done.
    pub cost: Cost,
    /// What it costs a month now; `None` where that cannot be told.
    pub cost_now: Option<Cost>,
    /// Why it could not be looked at.
    pub unread: Option<Error>,
}

impl Step {
    /// A step with nothing but an address and an action.
    #[must_use]
    pub fn new(address: Address, action: Action) -> Self {
        Self {
            address,
            action,
            diff: Diff::default(),
            id: None,
            reason: None,
            create_first: false,
            at: None,
            parts: Vec::new(),
            cost: Cost::default(),
            cost_now: Some(Cost::default()),
            unread: None,
        }
    }

    fn to_json(&self) -> Value {
        let mut step = self.work_json();
        if let Value::Object(step) = &mut step {
            step.extend(members(&self.cost));
            let now = self.cost_now.as_ref().filter(|now| now.is_known());
            let now = now.map(|now| rounded(now.usd));
            step.insert("monthly_usd_now".to_owned(), json!(now));
        }
        step
    }

    /// What is done, without what it costs.
    fn work_json(&self) -> Value {
        json!({
            "address": self.address.to_string(),
            "action": self.action.word(),
            "id": self.id,
            "reason": self.reason.as_deref().map(redact),
            "create_first": self.create_first,
            "at": self.at.as_ref().map(ToString::to_string),
            "changes": self.diff.changes.iter().map(change_json).collect::<Vec<_>>(),
            "parts": self.parts.iter().map(|part| json!({
                "noun": part.noun,
                "id": part.id,
            })).collect::<Vec<_>>(),
        })
    }
}

/// All that a run is going to do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Name of the stack.
    pub stack: String,
    /// AWS region.
    pub region: String,
    /// AWS account number.
    pub account: String,
    /// It is for the local sandbox, not for AWS.
    pub sandbox: bool,
    /// The steps, in apply order.
    pub steps: Vec<Step>,
    /// How many checks follow.
    pub checks: usize,
    /// What is no obstacle, but should be known before it is approved.
    pub warnings: Vec<String>,
    /// Hash of all that the plan would do; an approved plan is applied only if it is still this.
    pub fingerprint: String,
}

impl Plan {
    /// Nothing is going to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.steps.iter().any(|step| step.action.is_change())
    }

    /// Why some resources could not be looked at.
    #[must_use]
    pub fn unread(&self) -> Vec<Error> {
        let errors = self.steps.iter().map(|step| &step.unread);
        errors.flatten().cloned().collect()
    }

    /// How many steps do `action`.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.steps
            .iter()
            .filter(|step| step.action == action)
            .count()
    }

    /// The plan with its fingerprint computed from everything else in it.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        let steps: Vec<_> = self.steps.iter().map(sealed_json).collect();
        let content = json!([self.stack, self.region, self.account, self.sandbox, steps]);
        let digest = Sha256::digest(content.to_string());
        self.fingerprint = hex(&digest);
        self
    }

    /// The plan as a document, version 1; secrets are masked.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut summary = members(&self.monthly());
        let change = self.monthly_change().map(rounded);
        summary.insert("monthly_usd_change".to_owned(), json!(change));
        for action in [
            Action::Create,
            Action::Update,
            Action::Replace,
            Action::Delete,
            Action::Keep,
            Action::Nothing,
            Action::Unread,
        ] {
            summary.insert(action.word().to_owned(), self.count(action).into());
        }
        let warnings = self.warnings.iter().map(|text| redact(text));
        json!({
            "version": 1,
            "stack": self.stack,
            "account": self.account,
            "region": self.region,
            "sandbox": self.sandbox,
            "steps": self.steps.iter().map(Step::to_json).collect::<Vec<_>>(),
            "checks": self.checks,
            "warnings": warnings.collect::<Vec<_>>(),
            "summary": summary,
            "fingerprint": self.fingerprint,
        })
    }
}

/// A step without what does not change the outcome: its place in the file, its reason, its price.
fn sealed_json(step: &Step) -> Value {
    let mut json = step.work_json();
    if let Some(object) = json.as_object_mut() {
        object.remove("at");
        object.remove("reason");
    }
    json
}

fn change_json(change: &FieldChange) -> Value {
    let (effect, how) = match &change.effect {
        Effect::Update => ("update", None),
        Effect::Interrupt(how) => ("interrupt", Some(how)),
        Effect::Replace => ("replace", None),
    };
    json!({
        "field": redact(&change.field),
        "old": shown_json(&change.old),
        "new": shown_json(&change.new),
        "effect": effect,
        "how": how,
    })
}

fn shown_json(shown: &Shown) -> Value {
    match shown {
        Shown::Absent => Value::Null,
        other => redact(&other.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(size: &str) -> Plan {
        let mut step = Step::new(Address::new("instances", "server"), Action::Update);
        step.diff = Diff::default().field("instance_type", Shown::of("t3a.small"), Shown::of(size));
        Plan {
            stack: "de3".to_owned(),
            steps: vec![step],
            ..Plan::default()
        }
        .sealed()
    }

    #[test]
    fn the_fingerprint_follows_what_would_change_and_not_where_it_stands() {
        let mut moved = plan("t3a.medium");
        moved.steps[0].at = Some(Location::nowhere("site.yml"));
        moved.steps[0].cost = Cost::of(30.0);
        moved.warnings.push("prices were raised".to_owned());
        assert_eq!(
            plan("t3a.medium").fingerprint,
            moved.sealed().fingerprint,
            "a moved declaration and another price are the same plan"
        );
        assert_ne!(
            plan("t3a.medium").fingerprint,
            plan("t3a.large").fingerprint
        );
    }
}
