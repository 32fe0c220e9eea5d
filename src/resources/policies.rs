//! Customer managed IAM policies.

use futures::future::try_join_all;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named;
use super::policy_document::{PolicyDocument, Use};
use super::quotas;
use super::roles::{description_fits, is_name};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Presence, Quota, Resource, Target, Wanted};

mod change;
mod delete;
mod listing;

/// The most characters of a managed policy, white space not counted:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
const LONGEST: usize = 6144;

/// A managed IAM policy, to be attached to roles
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Name in AWS, the same in all regions; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// What it allows and denies: a policy document or the list of its statements. A change makes
    /// a new version; of old ones, AWS keeps four
    pub document: PolicyDocument,
    /// What it is for, at most 1,000 characters
    #[schemars(extend("x-fixed" = true))]
    pub description: Option<String>,
}

/// A managed policy in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    arn: String,
    name: String,
    description: Option<String>,
    document: PolicyDocument,
    tags: Tags,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.arn
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.arn.as_str())
            .with("arn", self.arn.as_str())
            .with("name", self.name.as_str())
    }
}

impl Resource for Policy {
    const KIND: &'static str = "policies";
    const IAM: Iam = Iam {
        discover: &[
            "iam:ListPolicies",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
        ],
        apply: &[
            "iam:CreatePolicy",
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            "iam:CreatePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:DeletePolicyVersion",
            "iam:AttachRolePolicy",
            "iam:TagPolicy",
            "iam:UntagPolicy",
        ],
        delete: &[
            "iam:DeletePolicy",
            "iam:DeletePolicyVersion",
            "iam:ListPolicyVersions",
            "iam:ListEntitiesForPolicy",
            "iam:DetachRolePolicy",
            "iam:GetPolicy",
            "iam:ListPolicies",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Amazon resource name"),
        ("arn", "Amazon resource name"),
        ("name", "Name in AWS"),
    ];
    // The Tagging API lists them in us-east-1 only.
    const ARN: Option<&'static str> = None;
    const DELETE_RANK: u8 = 176;
    const QUOTA: Option<Quota> = Some(quotas::POLICIES);
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = Vec::new();
        if let Some(name) = &self.name
            && !is_name(name, 128)
        {
            let text = "a policy's name has 1 to 128 letters, digits and `+=,.@_-`";
            problems.push((at("name"), text.to_owned()));
        }
        let its = self.document.problems(Use::Identity).into_iter();
        problems.extend(its.map(|text| (at("document"), text)));
        let length = self.document.text().len();
        if length > LONGEST {
            let text = format!("a managed policy has at most {LONGEST} characters, not {length}");
            problems.push((at("document"), text));
        }
        if !description_fits(self.description.as_deref()) {
            let text = "a description has at most 1000 characters";
            problems.push((at("description"), text.to_owned()));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let own = async {
            let arns = listing::own(cx, wanted).await?;
            let told = arns.iter().map(|arn| listing::describe(cx, arn));
            try_join_all(told).await
        };
        let others = wanted.external.iter().map(|name| listing::named(cx, name));
        let (own, others) = futures::try_join!(own, try_join_all(others))?;
        Ok(own.into_iter().chain(others).flatten().collect())
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let name = named::name_of(self.name.as_ref(), target);
        let diff = Diff::default()
            .fixed("name", Shown::of(&live.name), Shown::of(name))
            .field("document", live.document.shown(), self.document.shown())
            .fixed(
                "description",
                Shown::option(live.description.as_ref()),
                Shown::option(self.description.as_ref()),
            );
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => change::created(self, cx, target).await?,
        };
        change::apply(self, cx, target, live).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}
