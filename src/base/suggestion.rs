//! "Did you mean": the nearest known word to a mistyped one.

/// The candidate that `typed` most likely meant, if one is near enough.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&typed, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(score, _)| *score > 0.82)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// A hint for a word that is not among `candidates`: the nearest one, or the list of them.
#[must_use]
pub fn hint(typed: &str, candidates: &[&str]) -> String {
    match nearest(typed, candidates.iter().copied()) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => "nothing is allowed here".to_owned(),
        None => {
            let list: Vec<_> = candidates.iter().map(|word| format!("`{word}`")).collect();
            format!("allowed here: {}", list.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_listed() {
        assert_eq!(
            hint("instance_tpye", &["instance_type", "ami"]),
            "did you mean `instance_type`?"
        );
        assert_eq!(
            hint("zebra", &["ami", "user"]),
            "allowed here: `ami`, `user`"
        );
    }
}
