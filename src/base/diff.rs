//! What differs between what is there and what is wanted, field by field.

use std::fmt;

use super::secret::MASK;

/// One side of a field's change, as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Not set.
    Absent,
    /// A value in its short text form.
    Text(String),
    /// A unified diff or other text of several lines.
    Block(String),
    /// Known only after other resources were applied.
    AfterApply,
    /// A secret, never shown.
    Hidden,
}

impl Shown {
    /// A value in its own words; an empty one is shown as absent.
    pub fn of(value: impl fmt::Display) -> Self {
        let text = value.to_string();
        if text.is_empty() {
            Self::Absent
        } else {
            Self::Text(text)
        }
    }

    /// `Some` in its own words, `None` as absent.
    pub fn option<T: fmt::Display>(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::of)
    }

    /// A list in its own words, separated by commas.
    pub fn list<T: fmt::Display>(values: impl IntoIterator<Item = T>) -> Self {
        let texts: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
        Self::of(texts.join(", "))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("(none)"),
            Self::Text(text) | Self::Block(text) => f.write_str(text),
            Self::AfterApply => f.write_str("(known after apply)"),
            Self::Hidden => f.write_str(MASK),
        }
    }
}

/// What changing a field takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changed in place, nothing is interrupted.
    Update,
    /// Changed in place with an interruption, in words (`stops and starts the instance`).
    Interrupt(String),
    /// The resource is made anew.
    Replace,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// The field as the playbook names it (`root_volume.size_gib`, `ingress`), or a host
    /// operation's label.
    pub field: String,
    /// What is there.
    pub old: Shown,
    /// What is wanted.
    pub new: Shown,
    /// What changing it takes.
    pub effect: Effect,
}

/// All that differs; empty when the resource is as wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The fields that differ, in the order of the spec.
    pub changes: Vec<FieldChange>,
    /// Outputs that these changes make unknown until they are applied (`public_ip`).
    pub unsettled: Vec<String>,
}

impl Diff {
    /// A field that can be changed in place.
    #[must_use]
    pub fn field(self, field: &str, old: Shown, new: Shown) -> Self {
        self.with(field, old, new, Effect::Update)
    }

    /// A field that only a new resource can have otherwise.
    #[must_use]
    pub fn fixed(self, field: &str, old: Shown, new: Shown) -> Self {
        self.with(field, old, new, Effect::Replace)
    }

    /// A field whose change interrupts, with how, in words.
    #[must_use]
    pub fn interrupting(self, field: &str, old: Shown, new: Shown, how: &str) -> Self {
        self.with(field, old, new, Effect::Interrupt(how.to_owned()))
    }

    /// Names an output that is not known until the change is applied.
    #[must_use]
    pub fn unsettles(mut self, output: &str) -> Self {
        self.unsettled.push(output.to_owned());
        self
    }

    /// Records the field if the two sides differ.
    #[must_use]
    pub fn with(mut self, field: &str, old: Shown, new: Shown, effect: Effect) -> Self {
        if old != new {
            self.changes.push(FieldChange {
                field: field.to_owned(),
                old,
                new,
                effect,
            });
        }
        self
    }

    /// Nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Some field can only be had by making the resource anew.
    #[must_use]
    pub fn replaces(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.effect == Effect::Replace)
    }
}
