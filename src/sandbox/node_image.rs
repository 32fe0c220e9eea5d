//! The image that hosts run: built by the recipe in `node/build.sh` where it is missing.

use std::process::Stdio;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::hosts::NODE_IMAGE;
use super::lock::Lock;
use crate::base::{Error, Result, ResultExt, hex};
use crate::docker::Engine;

const RECIPE: &str = include_str!("node/build.sh");
const LABEL: &str = "tidewalk.sandbox.recipe";

/// Builds the image unless it is there, from this very recipe.
///
/// # Errors
/// What the recipe's commands said.
pub(super) async fn build(engine: &Engine, say: &super::Say<'_>) -> Result<()> {
    let hash = Sha256::digest(RECIPE);
    let recipe = hex(&hash[..8]);
    if is_built(engine, &recipe).await? {
        return Ok(());
    }
    let _lock = Lock::take(&std::env::temp_dir().join("tidewalk-node-image.lock")).await?;
    if is_built(engine, &recipe).await? {
        return Ok(());
    }
    say(&format!(
        "building the image of the hosts, {NODE_IMAGE} (half a minute)"
    ));
    let mut shell = Command::new("sh")
        // Not on standard input: a command of the recipe might read the rest of it.
        .args(["-c", RECIPE, "tidewalk-node", NODE_IMAGE, &recipe])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("building the image of the hosts")?;
    let (Some(lines), Some(errors)) = (shell.stdout.take(), shell.stderr.take()) else {
        return Err(Error::failed(
            "building the image of the hosts: no way to read from `sh`",
        ));
    };
    let tell = async move {
        let mut lines = BufReader::new(lines).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            say(&format!("  {line}"));
        }
    };
    let ((), complaints) = tokio::join!(tell, last_lines(errors));
    let status = shell
        .wait()
        .await
        .context("building the image of the hosts")?;
    if status.success() {
        return Ok(());
    }
    let error = Error::failed(format!(
        "building the image of the hosts ended with {status}"
    ))
    .hint("it needs root, apt and Docker Engine; `tidewalk sandbox up --no-hosts` does without");
    Err(complaints.into_iter().fold(error, Error::note))
}

async fn is_built(engine: &Engine, recipe: &str) -> Result<bool> {
    let label = engine.image_label(NODE_IMAGE, LABEL).await?;
    Ok(label.as_deref() == Some(recipe))
}

async fn last_lines(errors: tokio::process::ChildStderr) -> Vec<String> {
    let mut kept = Vec::new();
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        kept.push(line);
        if kept.len() > 5 {
            kept.remove(0);
        }
    }
    kept
}
