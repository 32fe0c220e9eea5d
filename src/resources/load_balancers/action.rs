//! What is done with a request: sent to a target group, sent elsewhere, or answered.

use std::borrow::Cow;
use std::fmt;

use aws_sdk_elasticloadbalancingv2::types::{
    Action as SdkAction, ActionTypeEnum, FixedResponseActionConfig, RedirectActionConfig,
    RedirectActionStatusCodeEnum,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, Visitor};

use crate::base::{Shown, World};
use crate::resources::reference::{TargetGroupName, named};

const GROUPS: &str = "target_groups";

/// Sends the client to another address; `https` for the same one over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect(pub Destination);

/// Another address. Parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`
/// of the request
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Destination {
    /// `HTTP` or `HTTPS`; the request's if not given
    pub protocol: String,
    /// Host name; the request's if not given
    pub host: String,
    /// Port; the request's if not given
    pub port: String,
    /// Path, beginning with `/`; the request's if not given
    pub path: String,
    /// Query without the `?`; the request's if not given
    pub query: String,
    /// Browsers may remember it (301); `false` for once (302). `true` if not given
    pub permanent: bool,
}

impl Default for Destination {
    fn default() -> Self {
        Self {
            protocol: "#{protocol}".to_owned(),
            host: "#{host}".to_owned(),
            port: "#{port}".to_owned(),
            path: "/#{path}".to_owned(),
            query: "#{query}".to_owned(),
            permanent: true,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            host,
            port,
            path,
            query,
            permanent,
        } = self;
        let status = if *permanent { 301 } else { 302 };
        write!(f, "{protocol}://{host}:{port}{path}?{query} ({status})")
    }
}

impl JsonSchema for Redirect {
    fn schema_name() -> Cow<'static, str> {
        "Redirect".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let elsewhere = generator.subschema_for::<Destination>();
        json_schema!({ "anyOf": [{ "const": "https" }, elsewhere] })
    }
}

impl<'de> Deserialize<'de> for Redirect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Redirect;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`https` or an address in parts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Redirect, E> {
        if text != "https" {
            return Err(E::unknown_variant(text, &["https"]));
        }
        Ok(Redirect(Destination {
            protocol: "HTTPS".to_owned(),
            port: "443".to_owned(),
            ..Destination::default()
        }))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Redirect, A::Error> {
        Destination::deserialize(MapAccessDeserializer::new(map)).map(Redirect)
    }
}

/// An answer that the load balancer gives itself
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FixedResponse {
    /// HTTP status, 2xx, 4xx or 5xx
    pub status: u16,
    /// `text/plain` (if not given), `text/css`, `text/html`, `application/javascript` or
    /// `application/json`
    #[serde(default = "plain")]
    pub content_type: String,
    /// The answer's text, at most 1024 characters
    #[serde(default)]
    pub body: String,
}

fn plain() -> String {
    "text/plain".to_owned()
}

/// What the playbook says is to be done: one of the three.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) forward: Option<&'a TargetGroupName>,
    pub(super) redirect: Option<&'a Redirect>,
    pub(super) fixed_response: Option<&'a FixedResponse>,
}

impl Choice<'_> {
    /// All that can be told to be wrong with it: the field, if it is one's, and what.
    pub(super) fn problems(self) -> Vec<(Option<&'static str>, String)> {
        let mut found = Vec::new();
        let given = [
            self.forward.is_some(),
            self.redirect.is_some(),
            self.fixed_response.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            let text = "write one of `forward`, `redirect` and `fixed_response`";
            found.push((None, text.to_owned()));
        }
        if let Some(Redirect(to)) = self.redirect {
            let same = Destination {
                query: to.query.clone(),
                permanent: to.permanent,
                ..Destination::default()
            };
            if *to == same {
                let text = "a redirect must change the protocol, the host, the port or the path";
                found.push((Some("redirect"), text.to_owned()));
            }
        }
        if let Some(answer) = self.fixed_response {
            if !matches!(answer.status, 200..=299 | 400..=599) {
                let text = format!("{} is not 2xx, 4xx or 5xx", answer.status);
                found.push((Some("fixed_response"), text));
            }
            if answer.body.chars().count() > 1024 {
                let text = "an answer has at most 1024 characters";
                found.push((Some("fixed_response"), text.to_owned()));
            }
        }
        found
    }

    /// As AWS has it; `None` while the target group does not exist.
    pub(super) fn action(self, world: &World) -> Option<Action> {
        Some(match self {
            Self {
                forward: Some(TargetGroupName(name)),
                ..
            } => Action::Forward(world.id(GROUPS, name)?.to_owned()),
            Self {
                redirect: Some(Redirect(to)),
                ..
            } => Action::Redirect(to.clone()),
            Self {
                fixed_response: Some(answer),
                ..
            } => Action::FixedResponse(answer.clone()),
            _ => Action::default(),
        })
    }
}

/// What is done with a request, as AWS has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Goes to the target group of this ARN.
    Forward(String),
    /// The client is sent elsewhere.
    Redirect(Destination),
    /// It is answered.
    FixedResponse(FixedResponse),
    /// Something that no playbook can say, in words.
    Other(String),
}

impl Default for Action {
    fn default() -> Self {
        Self::Other("nothing".to_owned())
    }
}

impl Action {
    /// In words, with the playbook's names.
    pub(super) fn words(&self, world: &World) -> String {
        match self {
            Self::Forward(arn) => {
                // The name in AWS alone would not tell an old one from the new one of that name.
                let name = named(world, GROUPS, arn);
                let name = name.rsplit_once(':').map_or(name, |(_, rest)| rest);
                format!("forward to {name}")
            }
            Self::Redirect(to) => format!("redirect to {to}"),
            Self::FixedResponse(answer) => {
                let FixedResponse {
                    status,
                    content_type,
                    body,
                } = answer;
                let answer = format!("answer {status} {content_type}: {body}");
                answer.trim_end_matches([':', ' ']).to_owned()
            }
            Self::Other(words) => words.clone(),
        }
    }

    /// What AWS reports.
    pub(super) fn read(actions: Option<Vec<SdkAction>>) -> Self {
        let mut actions = actions.unwrap_or_default();
        let (Some(action), true) = (actions.pop(), actions.is_empty()) else {
            return Self::Other(format!("{} actions", actions.len() + 1));
        };
        let several = action.forward_config.and_then(|it| it.target_groups);
        let several = several.unwrap_or_default();
        match action.r#type {
            Some(ActionTypeEnum::Forward) if several.len() > 1 => {
                Self::Other(format!("forward to {} target groups", several.len()))
            }
            Some(ActionTypeEnum::Forward) => {
                let first = several.into_iter().find_map(|one| one.target_group_arn);
                Self::Forward(action.target_group_arn.or(first).unwrap_or_default())
            }
            Some(ActionTypeEnum::Redirect) => {
                let to = action.redirect_config;
                let part = |part: fn(&RedirectActionConfig) -> Option<&str>, same: &str| {
                    let told = to.as_ref().and_then(part);
                    told.unwrap_or(same).to_owned()
                };
                let same = Destination::default();
                let status = to.as_ref().and_then(|it| it.status_code.as_ref());
                Self::Redirect(Destination {
                    protocol: part(|it| it.protocol.as_deref(), &same.protocol),
                    host: part(|it| it.host.as_deref(), &same.host),
                    port: part(|it| it.port.as_deref(), &same.port),
                    path: part(|it| it.path.as_deref(), &same.path),
                    query: part(|it| it.query.as_deref(), &same.query),
                    permanent: status == Some(&RedirectActionStatusCodeEnum::Http301),
                })
            }
            Some(ActionTypeEnum::FixedResponse) => {
                let answer = action.fixed_response_config;
                let status = answer.as_ref().and_then(|it| it.status_code.as_deref());
                let status = status.and_then(|it| it.parse().ok()).unwrap_or_default();
                let kind = answer.as_ref().and_then(|it| it.content_type.clone());
                let body = answer.and_then(|it| it.message_body);
                Self::FixedResponse(FixedResponse {
                    status,
                    content_type: kind.unwrap_or_else(plain),
                    body: body.unwrap_or_default(),
                })
            }
            other => Self::Other(other.map_or(String::new(), |it| it.as_str().to_owned())),
        }
    }

    /// As AWS takes it.
    pub(super) fn sdk(&self) -> SdkAction {
        let action = SdkAction::builder();
        match self {
            Self::Forward(arn) => action
                .r#type(ActionTypeEnum::Forward)
                .target_group_arn(arn)
                .build(),
            Self::Redirect(to) => {
                let status = if to.permanent {
                    RedirectActionStatusCodeEnum::Http301
                } else {
                    RedirectActionStatusCodeEnum::Http302
                };
                let config = RedirectActionConfig::builder()
                    .protocol(&to.protocol)
                    .host(&to.host)
                    .port(&to.port)
                    .path(&to.path)
                    .query(&to.query)
                    .status_code(status);
                action
                    .r#type(ActionTypeEnum::Redirect)
                    .redirect_config(config.build())
                    .build()
            }
            Self::FixedResponse(answer) => {
                let config = FixedResponseActionConfig::builder()
                    .status_code(answer.status.to_string())
                    .content_type(&answer.content_type);
                let body = Some(&answer.body).filter(|body| !body.is_empty());
                let config = config.set_message_body(body.cloned());
                action
                    .r#type(ActionTypeEnum::FixedResponse)
                    .fixed_response_config(config.build())
                    .build()
            }
            Self::Other(_) => action.build(),
        }
    }
}

/// What is wanted, to be shown.
pub(super) fn shown(choice: Choice<'_>, world: &World) -> Shown {
    match choice.action(world) {
        Some(action) => Shown::of(action.words(world)),
        None => Shown::AfterApply,
    }
}
