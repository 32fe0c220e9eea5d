//! Parameters of the Systems Manager parameter store.

use schemars::JsonSchema;
use serde::Deserialize;

use super::generate::Generate;
use super::named;
use super::one_or_many::OneOrMany;
use super::prices::monthly;
use super::reference::KeyName;
use super::value_from::ValueFrom;
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Iam, Presence, Resource, Target, Wanted};

mod change;
mod difference;
mod listing;
mod text;

use text::Text;

const ARN: &str = "ssm:parameter/";
/// The key that secure strings without one of their own are encrypted with.
const DEFAULT_KEY: &str = "alias/aws/ssm";
/// Tag key: fingerprint of a secure value and the version that has it, as `SALT:HASH:VERSION`; or what
/// it was made of.
const VALUE: &str = "tidewalk:value";

/// A parameter of the Systems Manager parameter store
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Name in AWS, also with levels (`/app/db/host`); without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// `String`, `StringList` or `SecureString`, which is encrypted
    #[serde(default, rename = "type")]
    #[schemars(extend("x-fixed" = true, "default" = "String"))]
    pub kind: Type,
    /// The value, or the values of a `StringList`; not for a `SecureString`
    pub value: Option<OneOrMany<Text>>,
    /// Where the value comes from instead: plans never show it. A changed source is noticed; of a
    /// `SecureString`, AWS gets the value and the tag `tidewalk:value` a salted hash of it
    pub value_from: Option<ValueFrom>,
    /// Make a random value when the `SecureString` is made; a change of this makes another one. A
    /// value that somebody writes later stays
    pub generate: Option<Generate>,
    /// `Standard` for up to 4 KiB, `Advanced` for up to 8 KiB, which costs, or
    /// `Intelligent-Tiering`. An advanced parameter is made anew to be a standard one
    #[serde(default)]
    #[schemars(extend("x-fixed" = "it is `Advanced`", "default" = "Standard"))]
    pub tier: Tier,
    /// KMS key that encrypts a `SecureString`: declared under `keys`, or the id or alias of an
    /// existing one; without it, `alias/aws/ssm`
    pub key: Option<KeyName>,
    /// What it is for, at most 1,024 characters
    #[serde(default)]
    pub description: String,
    /// `text`, or `aws:ec2:image` for the id of an image, which AWS then checks
    #[serde(default = "plain_text")]
    pub data_type: String,
}

fn plain_text() -> String {
    "text".to_owned()
}

/// What a parameter holds
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Type {
    /// A text.
    #[default]
    String,
    /// Texts, separated by commas.
    StringList,
    /// An encrypted text.
    SecureString,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::StringList => "StringList",
            Self::SecureString => "SecureString",
        }
    }
}

/// What a parameter may hold and costs
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Tier {
    /// Up to 4 KiB, for free.
    #[default]
    Standard,
    /// Up to 8 KiB, for a monthly price.
    Advanced,
    /// AWS takes the one that is needed.
    #[serde(rename = "Intelligent-Tiering")]
    IntelligentTiering,
}

impl Tier {
    fn word(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Advanced => "Advanced",
            Self::IntelligentTiering => "Intelligent-Tiering",
        }
    }
}

/// A parameter in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// As AWS words it.
    kind: String,
    /// `None` for a secure one.
    value: Option<String>,
    version: i64,
    tier: String,
    key: Option<String>,
    description: String,
    data_type: String,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        Some(match self.tier.as_str() {
            "Advanced" => monthly("ssm/advanced-parameter", region, 1.0),
            _ => Cost::default(),
        })
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
            .with("version", self.version)
            .with("value", self.value.as_deref())
    }
}

impl Resource for Parameter {
    const KIND: &'static str = "parameters";
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "ssm:DescribeParameters",
            "ssm:GetParameters",
            "ssm:ListTagsForResource",
        ],
        apply: &[
            "ssm:PutParameter",
            "ssm:ListTagsForResource",
            "ssm:AddTagsToResource",
            "ssm:RemoveTagsFromResource",
            "ssm:DescribeParameters",
            "ssm:GetParameters",
        ],
        delete: &["ssm:DeleteParameter", "ssm:GetParameters"],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        ("version", "Number of the version in use"),
        ("value", "Its value; nothing for a `SecureString`"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 144;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        difference::problems(self)
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::list(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = difference::diff(self, live, target)?;
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        match self.tier {
            Tier::Advanced => monthly("ssm/advanced-parameter", region, 1.0),
            Tier::Standard | Tier::IntelligentTiering => Cost::default(),
        }
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        match live {
            Some(live) => change::updated(self, cx, target, live.clone()).await,
            None => change::created(self, cx, target).await,
        }
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        change::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        listing::presence(cx, ids).await
    }
}

impl Parameter {
    fn name(&self, target: Target<'_>) -> String {
        named::name_of(self.name.as_ref(), target)
    }

    /// What it is to be encrypted with, where that is known.
    fn key<'a>(&self, target: Target<'a>) -> Option<&'a str> {
        let name = self.key.as_ref()?;
        target.world.id("keys", &name.0)
    }
}
