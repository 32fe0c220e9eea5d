//! A schedule's tags, written as JSON in its description: schedules carry none. The stack is told
//! by the group.

use std::collections::BTreeMap;

use crate::aws::Tags;
use crate::aws::tags::{ADDRESS, STACK};
use crate::base::{Error, Result};

/// The longest description:
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>.
const LONGEST: usize = 512;

pub(super) fn write(tags: &Tags) -> Result<String> {
    let tags = tags.0.iter().filter(|(key, _)| *key != STACK);
    let tags: BTreeMap<_, _> = tags.collect();
    let text = serde_json::to_string(&tags).unwrap_or_default();
    let length = text.chars().count();
    if length > LONGEST {
        let text = format!("its tags take {length} characters, and AWS takes {LONGEST}");
        return Err(Error::failed(text).hint("give fewer or shorter `tags`"));
    }
    Ok(text)
}

/// The tags that [`write`] wrote; nothing for the description of a schedule of somebody else's.
pub(super) fn read(description: &str, stack: &str) -> Option<Tags> {
    let mut tags: BTreeMap<String, String> = serde_json::from_str(description).ok()?;
    if !tags.contains_key(ADDRESS) {
        return None;
    }
    tags.insert(STACK.to_owned(), stack.to_owned());
    Some(Tags(tags))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_they_were_written() {
        let tags = [(STACK, "s"), (ADDRESS, "schedules.a"), ("Owner", "a \"b\"")];
        let tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let tags = Tags(tags.into_iter().collect());
        let text = write(&tags).unwrap();
        assert!(!text.contains(STACK));
        assert_eq!(read(&text, "s"), Some(tags));
        assert_eq!(read("prices at eight", "s"), None);
        assert_eq!(read("{}", "s"), None);
        let long = Tags([("Note".to_owned(), "x".repeat(600))].into());
        assert!(write(&long).is_err());
    }
}
