//! Makes a name that a stack, a repository, a service and a load balancer can all have.

/// Load balancers have the shortest names of all:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html>
const LONGEST: usize = 32;

/// What AWS or YAML takes for something else.
const TAKEN: [&str; 7] = ["true", "false", "null", "yes", "no", "on", "off"];
const TAKEN_BEGINNINGS: [&str; 3] = ["internal-", "sg-", "aws-"];

/// `text` in lower case letters, digits and single `-`, beginning with a letter.
pub(super) fn valid(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    let taken = TAKEN.contains(&name.trim_end_matches('-'));
    let badly = TAKEN_BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    if !begins_well || taken || badly || name.len() < 2 {
        name = format!("app-{name}");
    }
    name.truncate(LONGEST);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::valid;

    #[test]
    fn any_text_becomes_a_name_that_all_take() {
        let cases = [
            ("btc-report-api", "btc-report-api"),
            ("BTC_Report.API", "btc-report-api"),
            (" my  app -- (2) ", "my-app-2"),
            ("2048", "app-2048"),
            ("x", "app-x"),
            ("", "app"),
            ("árak", "rak"),
            ("on", "app-on"),
            ("sg-list", "app-sg-list"),
            (
                "a-name-that-is-longer-than-any-load-balancers",
                "a-name-that-is-longer-than-any-l",
            ),
            (
                "a-name-that-ends-with-a-hyphen--after-its-cut",
                "a-name-that-ends-with-a-hyphen-a",
            ),
            (
                "a-name-that-is-cut-at-a-hyphen--after-that",
                "a-name-that-is-cut-at-a-hyphen-a",
            ),
        ];
        for (text, name) in cases {
            assert_eq!(valid(text), name, "{text}");
        }
    }
}
