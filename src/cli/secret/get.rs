//! `tidewalk secret get`

use serde_json::json;

use super::Which;
use crate::aws::stored;
use crate::base::{Errors, Result};
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::report::Output;

/// Print a secret value
///
/// The value, decrypted, and a line break: for `$(…)` in a script. It needs the IAM action
/// `ssm:GetParameter`, or `secretsmanager:GetSecretValue`; and `kms:Decrypt` of its key, if it has
/// one of its own. A parameter that is not encrypted is printed, too.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  export SLACK_TOKEN=$(tidewalk secret get slack)")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
}

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let which = &args.which;
    let aws = session::account(&which.cloud, None).await?;
    let value = stored::read(&aws, which.store(), &which.name).await?;
    let value = value.ok_or_else(|| which.missing(&aws))?;
    out.data(&format!("{}\n", value.expose()));
    out.document(
        "secret",
        json!({ "name": which.name, "value": value.expose() }),
    );
    Ok(Exit::Done)
}
