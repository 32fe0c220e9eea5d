//! The address under which this machine is seen from outside.

use std::net::IpAddr;
use std::time::Duration;

use super::refusal::deepest;
use crate::base::{Error, Result};

/// Amazon's own service that answers with the caller's address, in plain text.
pub const CHECKIP: &str = "https://checkip.amazonaws.com";

pub(super) async fn ask(url: &str) -> Result<IpAddr> {
    let text = fetch(url).await.map_err(|error| {
        let cause = error.without_url();
        Error::failed(format!(
            "cannot find out this machine's own address from {url}: {}",
            deepest(&cause)
        ))
        .hint("write the address instead of `me`, such as `203.0.113.7/32`")
    })?;
    text.trim().parse().map_err(|_| {
        let seen: String = text.trim().chars().take(60).collect();
        Error::failed(format!(
            "{url} did not answer with an address but with `{seen}`"
        ))
        .hint("write the address instead of `me`, such as `203.0.113.7/32`")
    })
}

async fn fetch(url: &str) -> Result<String, reqwest::Error> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .build()?;
    let response = client.get(url).send().await?.error_for_status()?;
    response.text().await
}
