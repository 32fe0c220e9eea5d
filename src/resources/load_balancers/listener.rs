//! Listeners as the playbook writes them: a port, and what is done with the requests to it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::action::{Choice, FixedResponse, Redirect};
use crate::base::node::Step;
use crate::resources::one_or_many::OneOrMany;
use crate::resources::reference::TargetGroupName;
use crate::resources::target_groups::Protocol;

/// The most path and host patterns of one rule:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html>.
const MOST_PATTERNS: usize = 5;
const LONGEST_PATTERN: usize = 128;

/// A port of the load balancer, and what is done with the requests to it
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Port, 1 to 65535
    #[schemars(range(min = 1))]
    pub port: u16,
    /// `HTTP` or `HTTPS`; without it, `HTTPS` where `certificates` is given, else `HTTP`
    pub protocol: Option<Protocol>,
    /// Certificates for HTTPS, the one for clients that name no host first: ARNs, or domain names,
    /// for each of which the best issued certificate in ACM (AWS's certificates) is taken
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub certificates: OneOrMany<String>,
    /// Which versions of TLS and which ciphers are taken, by AWS's name; for HTTPS,
    /// `ELBSecurityPolicy-TLS13-1-2-2021-06` (TLS 1.2 and 1.3) if not given
    pub ssl_policy: Option<String>,
    /// Target group that the requests go to
    pub forward: Option<TargetGroupName>,
    /// Where the client is sent instead: `https` for the same address over HTTPS, or an address in
    /// parts
    pub redirect: Option<Redirect>,
    /// What the load balancer answers itself
    pub fixed_response: Option<FixedResponse>,
    /// What is done with some of the requests instead: the first rule that fits is taken
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// What is done with requests to certain paths or hosts
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Paths, with `*` for any characters and `?` for one: `/api/*`. Any path, if not given
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub path: OneOrMany<String>,
    /// Host names, with `*` and `?`: `*.example.com`. Any host, if not given
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub host: OneOrMany<String>,
    /// Target group that the requests go to
    pub forward: Option<TargetGroupName>,
    /// Where the client is sent instead: `https` for the same address over HTTPS, or an address in
    /// parts
    pub redirect: Option<Redirect>,
    /// What the load balancer answers itself
    pub fixed_response: Option<FixedResponse>,
}

type Problems = Vec<(Vec<Step>, String)>;

impl Listener {
    pub(super) fn protocol(&self) -> Protocol {
        self.protocol
            .unwrap_or(match self.certificates.0.as_slice() {
                [] => Protocol::Http,
                _ => Protocol::Https,
            })
    }

    pub(super) fn ssl_policy(&self) -> Option<&str> {
        const MODERN: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
        let policy = self.ssl_policy.as_deref().unwrap_or(MODERN);
        (self.protocol() == Protocol::Https).then_some(policy)
    }

    pub(super) fn choice(&self) -> Choice<'_> {
        Choice {
            forward: self.forward.as_ref(),
            redirect: self.redirect.as_ref(),
            fixed_response: self.fixed_response.as_ref(),
        }
    }

    /// All that can be told to be wrong with it; `path` leads to it.
    pub(super) fn problems(&self, path: &[Step], found: &mut Problems) {
        let at = |field: &str| [path, &[Step::Key(field.to_owned())]].concat();
        if self.port == 0 {
            found.push((at("port"), "ports are 1 to 65535".to_owned()));
        }
        let secure = self.protocol() == Protocol::Https;
        if secure && self.certificates.0.is_empty() {
            let text = "HTTPS needs `certificates`: an ARN, or a domain name that ACM has one for";
            found.push((at("protocol"), text.to_owned()));
        }
        if !secure && !self.certificates.0.is_empty() {
            let text = "certificates are for listeners with `protocol: HTTPS`";
            found.push((at("certificates"), text.to_owned()));
        }
        if !secure && self.ssl_policy.is_some() {
            let text = "a TLS policy is for listeners with `protocol: HTTPS`";
            found.push((at("ssl_policy"), text.to_owned()));
        }
        choice_problems(self.choice(), path, found);
        for (index, rule) in self.rules.iter().enumerate() {
            rule.problems(&[at("rules"), vec![Step::Index(index)]].concat(), found);
        }
    }
}

impl Rule {
    pub(super) fn choice(&self) -> Choice<'_> {
        Choice {
            forward: self.forward.as_ref(),
            redirect: self.redirect.as_ref(),
            fixed_response: self.fixed_response.as_ref(),
        }
    }

    fn problems(&self, path: &[Step], found: &mut Problems) {
        let patterns = || self.path.0.iter().chain(&self.host.0);
        if !(1..=MOST_PATTERNS).contains(&patterns().count()) {
            let text = format!("a rule has 1 to {MOST_PATTERNS} paths and hosts together");
            found.push((path.to_vec(), text));
        }
        if let Some(long) = patterns().find(|it| it.chars().count() > LONGEST_PATTERN) {
            let text = format!("`{long}` is longer than {LONGEST_PATTERN} characters");
            found.push((path.to_vec(), text));
        }
        choice_problems(self.choice(), path, found);
    }
}

fn choice_problems(choice: Choice<'_>, path: &[Step], found: &mut Problems) {
    for (field, text) in choice.problems() {
        let field = field.map(|field| Step::Key(field.to_owned()));
        let path = path.iter().cloned().chain(field).collect();
        found.push((path, text));
    }
}
