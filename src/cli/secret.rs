//! `tidewalk secret`

use super::exit::Exit;
use super::flags::CloudFlags;
use crate::aws::Clients;
use crate::aws::stored::Store;
use crate::base::{Error, Errors, Result};
use crate::report::Output;

mod get;
mod set;

/// Read a secret value that AWS keeps, or write one
///
/// Of `SecureString` parameters, or with `--secrets-manager` of secrets: by their names in AWS.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  tidewalk secret set slack --region eu-west-1\n  \
                  tidewalk secret get slack --region eu-west-1"
)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    Get(get::Args),
    Set(set::Args),
}

/// Which value, and where
#[derive(clap::Args, Clone, Debug)]
struct Which {
    /// Its name in AWS, such as `slack` or `/app/db/password`
    #[arg(value_name = "NAME")]
    name: String,

    /// A secret of the Secrets Manager, instead of a parameter
    #[arg(long)]
    secrets_manager: bool,

    #[command(flatten)]
    cloud: CloudFlags,
}

impl Which {
    fn store(&self) -> Store {
        if self.secrets_manager {
            Store::Secrets
        } else {
            Store::Parameters
        }
    }

    /// There is nothing of that name.
    fn missing(&self, aws: &Clients) -> Error {
        let (name, noun, region) = (&self.name, self.store().noun(), aws.region());
        let error = Error::failed(format!("there is no {noun} `{name}` in {region}"));
        if self.secrets_manager {
            error
        } else {
            error.note("secrets of the Secrets Manager are meant with `--secrets-manager`")
        }
    }
}

/// Runs the command.
///
/// # Errors
/// When there is no such value, AWS refuses, or the new one is missing.
pub async fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    match &args.action {
        Action::Get(args) => get::run(args, out).await,
        Action::Set(args) => set::run(args, out).await,
    }
}
