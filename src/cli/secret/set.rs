//! `tidewalk secret set`

use std::io::{IsTerminal as _, Read as _};

use serde_json::json;

use super::Which;
use crate::aws::stored::{self, Store};
use crate::base::{Error, Errors, Result, ResultExt, Secret};
use crate::cli::exit::Exit;
use crate::cli::session;
use crate::report::Output;
use crate::resources::value_from::without_break;

/// Give a secret another value
///
/// Asks for it on the terminal, without showing it, or reads all of stdin; a last line break is left
/// out. It is never an argument: every program of the machine could read it there.
///
/// Key, tier and description stay. A playbook that has it with `generate` leaves the new value; one
/// that has it with `value_from` writes its own again with the next `apply`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tidewalk secret set slack\n  \
                  pass show slack | tidewalk secret set slack --create")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,

    /// Make it, if there is none; `destroy` does not know of it
    #[arg(long)]
    create: bool,
}

pub(super) async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let which = &args.which;
    let (name, store) = (&which.name, which.store());
    let aws = session::account(&which.cloud, None).await?;
    let value = value(name).await?;
    let made = if stored::write(&aws, store, name, &value).await? {
        false
    } else if args.create {
        if !stored::make(&aws, store, name, &value).await? {
            let text = format!("somebody made `{name}` just now");
            return Err(Error::failed(text)
                .hint("look at it, then try again")
                .into());
        }
        true
    } else {
        let declared = match store {
            Store::Parameters => "parameters: { NAME: { type: SecureString, generate: {} } }",
            Store::Secrets => "secrets: { NAME: { generate: {} } }",
        };
        let declared = declared.replace("NAME", name);
        let error = which.missing(&aws).hint(format!(
            "declare it (`{declared}`), so that `destroy` takes it away, too; or make it with `--create`"
        ));
        return Err(error.into());
    };
    let what = if made { "made" } else { "has another value" };
    out.say(&format!("{} `{name}`: {what}\n", store.noun()));
    out.document("secret", json!({ "name": name, "made": made }));
    Ok(Exit::Done)
}

/// The new value, from whoever sits there or from stdin.
async fn value(name: &str) -> Result<Secret> {
    let question = format!("value of `{name}` (not shown): ");
    let read = tokio::task::spawn_blocking(move || {
        if std::io::stdin().is_terminal() {
            return rpassword::prompt_password(question);
        }
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    });
    let text = read.await.context("reading the value")?;
    let text = text.map_err(|error| {
        Error::failed(format!("reading the value: {error}")).hint("it must be text")
    })?;
    let empty = || Error::usage("the value is empty").hint("nothing was changed");
    without_break(text).ok_or_else(empty)
}
