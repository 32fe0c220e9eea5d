//! The way from hosts to the metadata service: what they send to 169.254.169.254 arrives at the
//! sandbox.
//!
//! The address itself is not given to any device here: where this machine is an instance of a cloud,
//! its own metadata service has it. A rule for the hosts' bridge alone takes their packets, and keeps
//! the machine's own service from them.

use tokio::process::Command;

use crate::base::{Error, Result, ResultExt};

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
const METADATA: &str = "169.254.169.254/32";
const CHAIN: &str = "PREROUTING";
/// Begins the comment that says whose a rule is.
const OURS: &str = "tidewalk-metadata-";

/// Has what comes in by a device for the metadata service arrive at a port of this machine's address
/// on that device.
///
/// # Errors
/// Without root or `iptables`.
pub(super) async fn redirect(id: &str, device: &str, port: u16) -> Result<()> {
    let (comment, port) = (format!("{OURS}{id}"), port.to_string());
    let from = ["-I", CHAIN, "-i", device, "-d", METADATA, "-p", "tcp"];
    let what = ["--dport", "80", "-m", "comment", "--comment", &comment];
    let to = ["-j", "REDIRECT", "--to-ports", &port];
    table(&[&from[..], &what, &to].concat()).await?;
    Ok(())
}

/// Takes the rules of the sandbox of that id away, and all whose bridge is gone. Where there is no
/// way to look at rules, none were made.
pub(super) async fn restore(id: &str) {
    let Ok(rules) = table(&["-S", CHAIN]).await else {
        return;
    };
    for line in rules.lines() {
        let is_there = |device: &str| std::path::Path::new("/sys/class/net").join(device).exists();
        let Some(rule) = stale(line, id, is_there) else {
            continue;
        };
        // Another sandbox that ends may have been faster.
        let _ = table(&rule).await;
    }
}

/// The arguments that delete a rule of this sandbox, or of one whose bridge is gone.
fn stale<'a>(line: &'a str, id: &str, is_there: impl Fn(&str) -> bool) -> Option<Vec<&'a str>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1).copied()
    };
    let whose = after("--comment")?.trim_matches('"').strip_prefix(OURS)?;
    if whose != id && is_there(after("-i")?) {
        return None;
    }
    let rest = words.strip_prefix(&["-A"])?.iter().copied();
    Some(std::iter::once("-D").chain(rest).collect())
}

async fn table(args: &[&str]) -> Result<String> {
    let output = Command::new("iptables")
        .args(["-w", "10", "-t", "nat"])
        .args(args)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .context("running `iptables`")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::failed(format!("`iptables` said: {}", said.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_rules_and_those_of_bridges_that_are_gone_are_taken_away() {
        let rule = |id: &str| {
            format!(
                "-A PREROUTING -d 169.254.169.254/32 -i br-1 -p tcp -m comment --comment {OURS}{id} -j REDIRECT"
            )
        };
        let (ours, other) = (rule("a1"), rule("b2"));
        let taken = stale(&ours, "a1", |_| true).unwrap();
        assert_eq!(taken[..3], ["-D", "PREROUTING", "-d"]);
        assert_eq!(stale(&other, "a1", |device| device == "br-1"), None);
        assert!(stale(&other, "a1", |_| false).is_some());
        assert_eq!(stale("-P PREROUTING ACCEPT", "a1", |_| false), None);
        assert_eq!(stale("-A PREROUTING -j DOCKER", "a1", |_| false), None);
    }
}
