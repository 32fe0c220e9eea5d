//! Options that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::base::{Address, Result};
use crate::resources::within::Within;
use crate::ssh::Keep;

/// The playbook's file name where none is given.
pub const USUAL_PLAYBOOK: &str = "tidewalk.yml";

/// Which playbook, with which variables
#[derive(Args, Clone, Debug)]
pub struct PlaybookFlags {
    /// The playbook
    #[arg(value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    pub playbook: PathBuf,

    /// Values for its variables
    #[command(flatten)]
    pub vars: VarFlags,
}

/// Values for the playbook's variables
#[derive(Args, Clone, Debug, Default)]
pub struct VarFlags {
    /// Set a variable that the playbook declares; the value is read as YAML
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub vars: Vec<(String, String)>,

    /// Read variables from a YAML file; later files win, `--var` wins over all
    #[arg(long = "vars-file", value_name = "FILE")]
    pub vars_files: Vec<PathBuf>,
}

/// Which stack: by its playbook, or by its name
#[derive(Args, Clone, Debug)]
pub struct StackFlags {
    /// The playbook
    #[arg(value_name = "PLAYBOOK", default_value = USUAL_PLAYBOOK)]
    pub playbook: PathBuf,

    /// The stack's name, instead of a playbook
    #[arg(long, value_name = "NAME", conflicts_with_all = ["playbook", "vars", "vars_files"])]
    pub stack: Option<String>,

    /// Values for the playbook's variables
    #[command(flatten)]
    pub vars: VarFlags,
}

/// Which account, or the sandbox
#[derive(Args, Clone, Debug, Default)]
pub struct CloudFlags {
    /// Run on the local sandbox instead of AWS
    #[arg(long, help_heading = "Account")]
    pub sandbox: bool,

    /// AWS region; the playbook's `region:` is used otherwise
    #[arg(long, value_name = "REGION", help_heading = "Account")]
    pub region: Option<String>,

    /// AWS profile from `~/.aws/config`
    #[arg(long, value_name = "NAME", help_heading = "Account")]
    pub profile: Option<String>,
}

impl CloudFlags {
    /// Nothing was said of an account.
    #[must_use]
    pub fn is_unsaid(&self) -> bool {
        !self.sandbox && self.region.is_none() && self.profile.is_none()
    }
}

/// How much, and how fast
#[derive(Args, Clone, Debug)]
pub struct RunFlags {
    /// Work on this resource and what it needs only; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub only: Vec<Address>,

    /// Work on this many resources at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = parallelism)]
    pub parallelism: usize,

    /// Begin nothing more once this many resources have failed; without it, whatever does not depend
    /// on a failed one is done
    #[arg(long, value_name = "N", value_parser = parallelism)]
    pub max_failures: Option<usize>,

    /// Connections to hosts
    #[command(flatten)]
    pub keep: KeepFlags,
}

impl Default for RunFlags {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            parallelism: 16,
            max_failures: None,
            keep: KeepFlags::default(),
        }
    }
}

/// A connection that was forgotten does not stay open for longer
const LONGEST_KEPT: Duration = Duration::from_hours(24);

/// Connections to hosts
#[derive(Args, Clone, Debug, Default)]
pub struct KeepFlags {
    /// Keep connections to hosts for later runs, until they have not been used for so long (`10m`)
    ///
    /// Every program that runs as you can use them, as it can an ssh agent: none is kept unless you
    /// say so. `tidewalk connections` shows and closes them.
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDEWALK_KEEP_CONNECTIONS",
        value_parser = lifetime,
        help_heading = "Connections"
    )]
    pub keep_connections: Option<Duration>,
}

impl KeepFlags {
    /// Leave to keep connections, if it is given.
    ///
    /// # Errors
    /// When there is no private folder for them.
    pub fn keep(&self) -> Result<Option<Keep>> {
        let lifetime = self.keep_connections.filter(|it| !it.is_zero());
        lifetime.map(Keep::new).transpose()
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let Within(lifetime) = text.parse()?;
    if lifetime > LONGEST_KEPT {
        return Err("a day is the longest".to_owned());
    }
    Ok(lifetime)
}

/// How to print
#[derive(Args, Clone, Debug)]
pub struct OutputFlags {
    /// Print JSON, one object a line, instead of text
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,

    /// Use colours
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value_t,
        hide_possible_values = true,
        help = "Use colours: `auto` (on a terminal), `always` or `never`",
        help_heading = "Output"
    )]
    pub color: Colour,
}

/// When colours are used
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|_| "write SECTION.NAME, such as `instances.server`".to_owned())
}

/// A sensible number of things done at once.
pub(super) fn parallelism(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=256) => Ok(number),
        _ => Err("write a number from 1 to 256".to_owned()),
    }
}
