//! `tidewalk cost`

use super::exit::Exit;
use super::flags::PlaybookFlags;
use super::session;
use crate::base::Errors;
use crate::report::{self, Output};

/// Show what a playbook costs a month
///
/// Adds up AWS's list prices (on demand, Linux), resource by resource, the dearest first. Needs no network
/// and no credentials: the prices are a dated table in the program, for eu-west-1 and us-east-1.
/// What has no price there is named, not taken as free; so is what is paid by use (requests,
/// traffic), which is in no sum.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tidewalk cost playbooks/data-server.yml --var admin_cidr=me")]
pub struct Args {
    #[command(flatten)]
    playbook: PlaybookFlags,

    /// Prices of this AWS region; the playbook's `region:` is used otherwise
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Every problem of the playbook; a usage error, when no region is given.
pub fn run(args: &Args, out: &Output) -> Result<Exit, Errors> {
    let bill = session::bill(&args.playbook, args.region.as_deref())?;
    out.data(&report::cost::cost(&bill, out.width()));
    out.document("cost", bill.to_json());
    Ok(Exit::Done)
}
