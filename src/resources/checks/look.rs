//! One look at a URL or a port: what was seen, as a success or not.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::aws::refusal::deepest;
use crate::base::{Result, ResultExt as _};

const ONE_LOOK: Duration = Duration::from_secs(10);
/// Characters of an answer that are shown, and bytes that are read.
const SHOWN: usize = 200;
const READ: usize = 1024 * 1024;

/// A client that follows redirects, unless one is what is wanted.
pub(super) fn client(status: Option<u16>) -> Result<reqwest::Client> {
    let redirects = match status {
        Some(300..=399) => reqwest::redirect::Policy::none(),
        _ => reqwest::redirect::Policy::limited(5),
    };
    let client = reqwest::Client::builder()
        .timeout(ONE_LOOK)
        .redirect(redirects);
    client.build().context("setting up an HTTP client")
}

/// Fetches a URL.
pub(super) async fn http(
    client: &reqwest::Client,
    url: &str,
    status: u16,
    contains: Option<&str>,
) -> Result<String, String> {
    let mut response = client.get(url).send().await.map_err(|error| {
        if error.is_timeout() {
            "no answer in time".to_owned()
        } else {
            deepest(&error)
        }
    })?;
    let got = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < READ {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err(format!("status {got}, then {}", deepest(&error))),
        }
    }
    let body = String::from_utf8_lossy(&body);
    let start = beginning(&body);
    if got != status {
        return Err(format!("status {got} instead of {status}: {start}"));
    }
    match contains {
        Some(text) if !body.contains(text) => Err(format!(
            "status {got}, but not the text `{text}` in: {start}"
        )),
        _ => Ok(format!("status {got}")),
    }
}

/// How an answer begins, in one line.
fn beginning(body: &str) -> String {
    let words: Vec<_> = body.split_whitespace().collect();
    words.join(" ").chars().take(SHOWN).collect()
}

/// Connects to a port.
pub(super) async fn tcp(place: &str) -> Result<String, String> {
    match timeout(ONE_LOOK, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Ok("takes connections".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_in_one_line() {
        let page = "\n<html>\r\n<h1>502  Bad Gateway</h1>\r\n</html>\r\n";
        assert_eq!(beginning(page), "<html> <h1>502 Bad Gateway</h1> </html>");
        assert_eq!(beginning(&"x".repeat(1000)).len(), SHOWN);
    }
}
