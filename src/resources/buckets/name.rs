//! Names of buckets, which are unique in all of AWS.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use crate::aws::tags;
use crate::base::{Address, Node, Value};
use crate::contract::{Context, Target, aws_name};

const ACCOUNT_DIGITS: usize = 12;

/// `STACK-NAME-ACCOUNT`, in the characters that S3 takes.
pub(super) fn default(cx: &Context, address: &Address) -> String {
    format!("{}{}", before_account(&cx.stack, address), cx.account)
}

fn before_account(stack: &str, address: &Address) -> String {
    let text = format!("{stack}-{}-", aws_name(address)).to_lowercase();
    let fit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.chars().map(|c| if fit(c) { c } else { '-' }).collect()
}

/// The name of a declared bucket; `None` while it is not known.
pub(super) fn of_node(cx: &Context, address: &Address, node: &Node) -> Option<String> {
    match node.entry("name").map(|name| &name.value) {
        Some(Value::Text(name)) => Some(name.clone()),
        None | Some(Value::Null) => Some(default(cx, address)),
        Some(_) => None,
    }
}

/// The name that is wanted, beside the one that there is: the account's number is not in a spec,
/// and the bucket is in the right account.
pub(super) fn wanted(name: Option<&str>, live: &str, target: Target<'_>) -> String {
    if let Some(name) = name {
        return name.to_owned();
    }
    let stack = target.tags.value(tags::STACK).unwrap_or_default();
    let begin = before_account(stack, target.address);
    let account = live.strip_prefix(&begin).unwrap_or_default();
    let is_account =
        account.len() == ACCOUNT_DIGITS && account.bytes().all(|byte| byte.is_ascii_digit());
    if is_account {
        live.to_owned()
    } else {
        format!("{begin}ACCOUNT")
    }
}

/// What is wrong with a name, if anything.
pub(super) fn problem(name: &str) -> Option<String> {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let whole = (3..=63).contains(&name.len())
        && name.chars().all(fits)
        && end(name.chars().next())
        && end(name.chars().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !["xn--", "sthree-", "amzn-s3-demo-"]
            .iter()
            .any(|it| name.starts_with(it))
        && !["-s3alias", "--ol-s3", "--x-s3", ".mrap"]
            .iter()
            .any(|it| name.ends_with(it));
    let text = format!(
        "`{name}` cannot be the name of a bucket: 3 to 63 small letters, digits, `-` and `.`, a \
         letter or digit at both ends, and none that S3 keeps for itself"
    );
    (!whole).then_some(text)
}
