//! New resources that `for_each` made and that differ in nothing but their key.

use crate::engine::{Action, Step};

/// Fewer are shown one by one.
const FEWEST: usize = 3;

/// The first of `steps`, and those right after it that are alike but for their key.
#[must_use]
pub fn group(steps: &[Step]) -> &[Step] {
    let Some(first) = steps.first() else {
        return steps;
    };
    let alike = steps
        .iter()
        .take_while(|step| is_alike(first, step))
        .count();
    if alike < FEWEST {
        return &steps[..1];
    }
    &steps[..alike]
}

/// What stands in brackets in an address.
#[must_use]
pub fn key(step: &Step) -> &str {
    step.address.split_key().1.unwrap_or_default()
}

fn is_alike(first: &Step, other: &Step) -> bool {
    let (name, key) = first.address.split_key();
    let (other_name, other_key) = other.address.split_key();
    let (Some(key), Some(other_key)) = (key, other_key) else {
        return first.address == other.address;
    };
    first.address.kind == other.address.kind
        && name == other_name
        && first.action == Action::Create
        && other.action == Action::Create
        && neutral(first, key) == neutral(other, other_key)
}

/// All that a step shows, with a blank where its key stands as a word.
fn neutral(step: &Step, key: &str) -> String {
    let text = format!("{:?} {:?} {:?}", step.diff.changes, step.reason, step.cost);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(key).filter(|_| !key.is_empty()) {
        let (before, after) = (&rest[..at], &rest[at + key.len()..]);
        shown.push_str(before);
        let is_part =
            shown.ends_with(char::is_alphanumeric) || after.starts_with(char::is_alphanumeric);
        shown.push_str(if is_part { key } else { "\0" });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Address, Diff, Shown};

    fn step(key: &str, user: &str) -> Step {
        let mut step = Step::new(
            Address::new("instances", format!("node[{key}]")),
            Action::Create,
        );
        step.diff = Diff::default().field("user", Shown::Absent, Shown::of(user));
        step
    }

    #[test]
    fn steps_that_follow_their_key_are_alike() {
        let steps = [
            step("a", "data-a"),
            step("bob", "data-bob"),
            step("c", "data-c"),
            step("d", "other-d"),
        ];
        assert_eq!(group(&steps).len(), 3);
        assert_eq!(group(&steps[1..]).len(), 1, "two are too few to fold");
    }
}
