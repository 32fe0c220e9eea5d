//! `tidewalk users`

use serde_json::{Value as Json, json};

use super::exit::Exit;
use super::flags::{CloudFlags, PlaybookFlags, RunFlags};
use super::session::Session;
use crate::base::{Error, Errors};
use crate::report::{self, Output};

/// Show the team: who is in it, the Linux login that each gets, and who has an SSH key
///
/// Asks IAM what the playbook's `iam_users` ask, and changes nothing: it is what the setup `team-users`
/// would work with. Logins that two users would share, or that are too long or the system's, are
/// an error that names them all.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk users site.yml")]
pub struct Args {
    #[command(flatten)]
    playbook: PlaybookFlags,

    #[command(flatten)]
    cloud: CloudFlags,

    /// Tag of an IAM user that holds the public SSH key
    #[arg(long, value_name = "TAG", default_value = "ssh-public-key")]
    key_tag: String,
}

/// Runs the command.
///
/// # Errors
/// What is wrong with the playbook or with a login, and what could not be read.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let run = RunFlags::default();
    let session = Session::of_playbook(out, &args.playbook, &args.cloud, &run).await?;
    let answers = session.engine.answers("iam_users").await?;
    if answers.is_empty() {
        let error = Error::usage("the playbook has no `iam_users`");
        let hint = "add `iam_users: { team: { group: GROUP, linux_names: true } }`";
        return Err(error.hint(hint).into());
    }
    let mut members = Vec::new();
    for (address, outputs) in &answers {
        let users = outputs.0.get("users").and_then(Json::as_array);
        for user in users.into_iter().flatten() {
            members.push(json!({
                "question": address.to_string(),
                "name": user["name"],
                "linux_name": user["linux_name"],
                "groups": user["groups"],
                "has_key": user["tags"][&args.key_tag].is_string(),
            }));
        }
    }
    out.data(&report::users::users(&members, out.width()));
    out.document("users", json!({ "version": 1, "members": members }));
    Ok(Exit::Done)
}
