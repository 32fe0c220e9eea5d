//! A saved plan: what was approved, and how to make the same plan again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::flags::{CloudFlags, PlaybookFlags, RunFlags, VarFlags};
use crate::base::secret::redact;
use crate::base::{Address, Error, Result, ResultExt};
use crate::engine::Plan;

/// The only version so far.
const VERSION: u32 = 1;

/// A plan in a file.
#[derive(Debug, Deserialize, Serialize)]
pub struct SavedPlan {
    /// Version of this format.
    version: u32,
    /// How the plan was made.
    made_by: MadeBy,
    /// The plan as a document, for people and programs that review it.
    plan: Value,
}

/// The options that lead to the same plan again.
#[derive(Debug, Deserialize, Serialize)]
struct MadeBy {
    playbook: PathBuf,
    vars: Vec<(String, String)>,
    /// Variables that were given and hold secrets: to be given again.
    withheld: Vec<String>,
    vars_files: Vec<PathBuf>,
    sandbox: bool,
    region: Option<String>,
    profile: Option<String>,
    only: Vec<Address>,
}

impl SavedPlan {
    /// The plan, with the options that made it; values of secret variables are left out.
    #[must_use]
    pub fn new(plan: &Plan, playbook: &PlaybookFlags, cloud: &CloudFlags, run: &RunFlags) -> Self {
        let (vars, withheld): (Vec<_>, Vec<_>) = playbook
            .vars
            .vars
            .iter()
            .cloned()
            .partition(|(_, value)| redact(value) == *value);
        Self {
            version: VERSION,
            made_by: MadeBy {
                playbook: playbook.playbook.clone(),
                vars,
                withheld: withheld.into_iter().map(|(name, _)| name).collect(),
                vars_files: playbook.vars.vars_files.clone(),
                sandbox: cloud.sandbox,
                region: cloud.region.clone(),
                profile: cloud.profile.clone(),
                only: run.only.clone(),
            },
            plan: plan.to_json(),
        }
    }

    /// Reads a file; `None` when it is something else than a saved plan (a playbook).
    ///
    /// # Errors
    /// When it is a saved plan that cannot be used.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let Ok(text) = std::fs::read_to_string(path) else {
            return Ok(None);
        };
        if !text.trim_start().starts_with('{') {
            return Ok(None);
        }
        let Ok(document) = serde_json::from_str::<Value>(&text) else {
            return Ok(None);
        };
        if document.get("made_by").is_none() {
            return Ok(None);
        }
        let unusable = || format!("the saved plan `{}` cannot be used", path.display());
        let saved: Self = serde_json::from_value(document).context(unusable())?;
        if saved.version != VERSION {
            let found = saved.version;
            return Err(Error::failed(format!("version {found} is not {VERSION}"))
                .context(unusable())
                .hint("make it again with `tidewalk plan --out FILE`"));
        }
        Ok(Some(saved))
    }

    /// Writes it, readable by its owner only, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let saving = || format!("saving the plan as `{}`", path.display());
        let text = serde_json::to_string_pretty(self).context(saving())?;
        let beside = path.with_extension("tidewalk-partial");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .context(saving())?;
        file.write_all(text.as_bytes()).context(saving())?;
        file.write_all(b"\n").context(saving())?;
        file.sync_all().context(saving())?;
        std::fs::rename(&beside, path).context(saving())
    }

    /// The options to make the plan again, with `vars` given now over those of then.
    ///
    /// # Errors
    /// A usage error, when a withheld variable is not given.
    pub fn options(
        &self,
        vars: &VarFlags,
        now: &RunFlags,
    ) -> Result<(PlaybookFlags, CloudFlags, RunFlags)> {
        let made = &self.made_by;
        let missing = made.withheld.iter().find(|name| {
            let given = vars.vars.iter().any(|(given, _)| given == *name);
            !given && vars.vars_files.is_empty()
        });
        if let Some(name) = missing {
            return Err(Error::usage(format!(
                "the variable `{name}` holds a secret, so the saved plan has it not"
            ))
            .hint(format!("give it again: `--var {name}=…`, or `--vars-file`")));
        }
        let both = |then: &[PathBuf], now: &[PathBuf]| [then, now].concat();
        let playbook = PlaybookFlags {
            playbook: made.playbook.clone(),
            vars: VarFlags {
                vars: [made.vars.as_slice(), &vars.vars].concat(),
                vars_files: both(&made.vars_files, &vars.vars_files),
            },
        };
        let cloud = CloudFlags {
            sandbox: made.sandbox,
            region: made.region.clone(),
            profile: made.profile.clone(),
        };
        let run = RunFlags {
            only: made.only.clone(),
            ..now.clone()
        };
        Ok((playbook, cloud, run))
    }

    /// Whether `plan` is still what was approved.
    ///
    /// # Errors
    /// When it is another one.
    pub fn still_is(&self, plan: &Plan) -> Result<()> {
        if self.plan["fingerprint"] == plan.fingerprint.as_str() {
            return Ok(());
        }
        let hint = if plan.is_empty() {
            "nothing is left to do now: it may have been applied already"
        } else {
            "make and approve a new one with `tidewalk plan --out FILE`"
        };
        Err(
            Error::failed("the world has changed since the plan was saved, nothing was changed")
                .hint(hint),
        )
    }
}
