//! Looks from outside, after everything else was applied: does it answer as it should?

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use url::Url;

use super::within::Within;
use crate::aws::{Poll, Tags, Wait, is_code};
use crate::base::deserialize::from_node;
use crate::base::{Diff, Error, Errors, Node, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Found, Iam, Kind, Presence, Stage, Target, Wanted};

mod look;

/// A look from outside, after everything else: either `http` or `tcp`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// URL to be fetched
    pub http: Option<String>,
    /// Status that the URL must answer with, 200 if not given
    pub status: Option<u16>,
    /// Text that the answer must contain
    pub contains: Option<String>,
    /// `HOST:PORT` that must take a connection
    pub tcp: Option<String>,
    /// How long to try, `1m` if not given
    pub within: Option<Within>,
}

/// The kind of [`Check`].
pub struct Checks;

#[async_trait]
impl Kind for Checks {
    fn name(&self) -> &'static str {
        "checks"
    }

    fn stage(&self) -> Stage {
        Stage::Check
    }

    fn schema(&self) -> Schema {
        schemars::generate::SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator()
            .into_root_schema_for::<Check>()
    }

    fn iam(&self) -> Iam {
        Iam::default()
    }

    fn outputs(&self) -> &'static [OutputMeaning] {
        &[]
    }

    fn delete_rank(&self) -> u8 {
        0
    }

    fn check(&self, node: &Node) -> Result<(), Errors> {
        if node.has_unknown() {
            return Ok(());
        }
        let check = from_node::<Check>(node)?;
        match check.problem() {
            Some((key, text)) => {
                Err(Error::playbook(text, &node.entry(key).unwrap_or(node).at).into())
            }
            None => Ok(()),
        }
    }

    async fn discover(&self, _cx: &Context, _wanted: &Wanted) -> Result<Vec<Found>> {
        Ok(Vec::new())
    }

    fn diff(&self, _target: Target<'_>, _live: Option<&Found>) -> Result<Diff> {
        Ok(Diff::default())
    }

    async fn apply(
        &self,
        cx: &Context,
        target: Target<'_>,
        _live: Option<&Found>,
    ) -> Result<Found> {
        let check = from_node::<Check>(target.node)?;
        let seen = check
            .perform(cx, target)
            .await
            .map_err(|error| error.at(target.at))?;
        Ok(Found {
            id: check.subject().to_owned(),
            name: None,
            tags: Tags::default(),
            outputs: Outputs::default()
                .with("id", check.subject())
                .with("seen", seen),
            parts: Vec::new(),
            live: Arc::new(()),
        })
    }

    async fn delete(&self, _cx: &Context, _live: &Found) -> Result<()> {
        Ok(())
    }

    async fn presence(&self, _cx: &Context, ids: &[String]) -> Vec<Presence> {
        vec![Presence::Absent; ids.len()]
    }
}

impl Check {
    fn subject(&self) -> &str {
        self.http
            .as_deref()
            .or(self.tcp.as_deref())
            .unwrap_or_default()
    }

    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        match (&self.http, &self.tcp) {
            (None, None) => Some((
                "",
                "a check needs `http` (a URL) or `tcp` (HOST:PORT)".to_owned(),
            )),
            (Some(_), Some(_)) => Some(("tcp", "a check has either `http` or `tcp`".to_owned())),
            (Some(url), None) => match url.parse::<Url>() {
                Ok(url) if matches!(url.scheme(), "http" | "https") => None,
                _ => Some((
                    "http",
                    format!("`{url}` is not a URL, such as `http://example.org/`"),
                )),
            },
            (None, Some(_)) if self.status.is_some() => {
                Some(("status", "only `http` checks have a status".to_owned()))
            }
            (None, Some(_)) if self.contains.is_some() => Some((
                "contains",
                "only `http` checks look at the answer".to_owned(),
            )),
            (None, Some(place)) => {
                let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
                let wrong = !matches!(port, Some(Ok(_)));
                wrong.then(|| ("tcp", format!("`{place}` is not HOST:PORT")))
            }
        }
    }

    /// Looks until it is as it should be; tells what it saw.
    pub(super) async fn perform(&self, cx: &Context, target: Target<'_>) -> Result<String> {
        let within = self
            .within
            .map_or(Duration::from_mins(1), |within| within.0);
        let news = |text: &str| cx.progress.doing(target.address, text);
        let what = format!("{} to answer", self.subject());
        let wait = Wait::new(what, within, &news);
        let wait = wait.every(Duration::from_millis(500), Duration::from_secs(3));
        let client = look::client(self.status)?;
        let done = wait.until(async || {
            let seen = match (&self.http, &self.tcp) {
                (Some(url), _) => {
                    let (status, text) = (self.status.unwrap_or(200), self.contains.as_deref());
                    look::http(&client, url, status, text).await
                }
                (None, place) => look::tcp(place.as_deref().unwrap_or_default()).await,
            };
            Ok(match seen {
                Ok(seen) => Poll::Ready(seen),
                Err(seen) => Poll::Pending(seen),
            })
        });
        done.await.map_err(|error| {
            if !is_code(&error, "Timeout") {
                return error;
            }
            let tried = crate::aws::wait::in_words(within);
            let text = format!(
                "{} did not answer as it should within {tried}",
                self.subject()
            );
            let failed = Error::failed(text).code("CheckFailed");
            error.notes().iter().fold(failed, Error::note)
        })
    }
}
