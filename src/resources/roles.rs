//! IAM roles, with their inline policies and instance profile.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::apart::{Apart, has};
use super::named;
use super::one_or_many::OneOrMany;
use super::policy_document::{PolicyDocument, Use};
use super::quotas;
use super::reference::PolicyName;
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted};

mod change;
mod create;
mod delete;
mod difference;
mod listing;
mod trust;

use trust::AccountId;

/// An IAM role: what a service or another account may do in this one
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Name in AWS, the same in all regions; without it, the name in the playbook
    #[schemars(extend("x-fixed" = true))]
    pub name: Option<String>,
    /// Services that may become the role: `ec2`, `ecs-tasks`, `scheduler` (short for
    /// `ec2.amazonaws.com`); one or a list
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub trusted_service: OneOrMany<String>,
    /// Numbers of AWS accounts whose users and roles may become the role, as far as their own
    /// account lets them; one or a list
    #[serde(default)]
    #[schemars(extend("default" = []))]
    pub trusted_account: OneOrMany<AccountId>,
    /// Who may become the role, as a whole policy document or its statements, where
    /// `trusted_service` and `trusted_account` do not say enough
    pub trust_policy: Option<PolicyDocument>,
    /// Managed policies that are attached: names under `policies`, names of AWS's own
    /// (`AmazonSSMManagedInstanceCore`), or ARNs. Others are detached
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub managed_policies: Vec<PolicyName>,
    /// Inline policies, by name: each a policy document or its statements. Others are deleted
    #[serde(default)]
    pub policies: BTreeMap<String, PolicyDocument>,
    /// Also an instance profile of the same name, so that EC2 instances can have the role
    #[serde(default)]
    pub instance_profile: bool,
    /// Hours that a session of the role lasts at most, 1 to 12
    #[serde(default = "hour")]
    #[schemars(range(min = 1, max = 12))]
    pub max_session_hours: i32,
    /// A managed policy that says the most that the role may ever do: a name or an ARN
    pub permissions_boundary: Option<PolicyName>,
    /// What it is for, at most 1,000 characters. Given neither this nor `max_session_hours`, neither
    /// is looked at
    pub description: Option<String>,
}

fn hour() -> i32 {
    1
}

/// A role in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    name: String,
    arn: String,
    /// The name of its instance profile, where the playbook names that and not the role.
    known_as: Option<String>,
    description: Option<String>,
    max_session_seconds: i32,
    trust_policy: PolicyDocument,
    /// ARNs of the managed policies that are attached.
    managed_policies: Vec<String>,
    policies: BTreeMap<String, PolicyDocument>,
    /// ARN of a managed policy.
    permissions_boundary: Option<String>,
    instance_profile: Option<Profile>,
    tags: Tags,
}

/// The instance profile that comes and goes with a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    name: String,
    arn: String,
}

/// What only `ListRoles` tells.
const DESCRIBED: Apart = ("described", |node| {
    has(node, "description") || has(node, "max_session_hours")
});

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.name
    }

    fn name(&self) -> Option<&str> {
        self.known_as.as_deref().or(Some(&self.name))
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }

    fn outputs(&self) -> Outputs {
        let profile = self.instance_profile.as_ref();
        Outputs::default()
            .with("id", self.name.as_str())
            .with("name", self.name.as_str())
            .with("arn", self.arn.as_str())
            .with("instance_profile", profile.map(|it| it.name.as_str()))
            .with("instance_profile_arn", profile.map(|it| it.arn.as_str()))
    }

    fn parts(&self) -> Vec<Part> {
        let profile = self.instance_profile.iter();
        let part = |profile: &Profile| Part {
            noun: "instance profile",
            id: format!("{}{}", delete::PROFILE, profile.name),
        };
        profile.map(part).collect()
    }
}

impl Resource for Role {
    const KIND: &'static str = "roles";
    const IAM: Iam = Iam {
        discover: &["iam:ListRoles", "iam:GetAccountAuthorizationDetails"],
        apply: &[
            "iam:ListRoles",
            "iam:GetAccountAuthorizationDetails",
            "iam:GetRole",
            "iam:CreateRole",
            "iam:UpdateRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:PutRolePermissionsBoundary",
            "iam:DeleteRolePermissionsBoundary",
            "iam:AttachRolePolicy",
            "iam:DetachRolePolicy",
            "iam:PutRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:CreateInstanceProfile",
            "iam:GetInstanceProfile",
            "iam:AddRoleToInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:DeleteInstanceProfile",
            "iam:TagRole",
            "iam:UntagRole",
        ],
        delete: &[
            "iam:DetachRolePolicy",
            "iam:DeleteRolePolicy",
            "iam:GetInstanceProfile",
            "iam:RemoveRoleFromInstanceProfile",
            "iam:DeleteInstanceProfile",
            "iam:DeleteRole",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRoles",
            "iam:ListInstanceProfiles",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Name in AWS"),
        ("name", "Name in AWS"),
        ("arn", "Amazon resource name"),
        (
            "instance_profile",
            "Name of its instance profile, if it has one",
        ),
        (
            "instance_profile_arn",
            "Amazon resource name of its instance profile, if it has one",
        ),
    ];
    const ARN: Option<&'static str> = None;
    const DELETE_RANK: u8 = 172;
    const QUOTA: Option<Quota> = Some(quotas::ROLES);
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |field: &str| vec![Step::Key(field.to_owned())];
        let mut problems = self.trust_problems();
        if let Some(name) = &self.name
            && !is_name(name, 64)
        {
            let text = "a role's name has 1 to 64 letters, digits and `+=,.@_-`";
            problems.push((at("name"), text.to_owned()));
        }
        if !(1..=12).contains(&self.max_session_hours) {
            let text = "a session lasts 1 to 12 hours at most";
            problems.push((at("max_session_hours"), text.to_owned()));
        }
        if self.managed_policies.len() > 20 {
            let text = "at most 20 managed policies can be attached to a role";
            problems.push((at("managed_policies"), text.to_owned()));
        }
        if !description_fits(self.description.as_deref()) {
            let text = "a description has at most 1000 characters";
            problems.push((at("description"), text.to_owned()));
        }
        for (name, document) in &self.policies {
            let at = [at("policies"), at(name)].concat();
            if !is_name(name, 128) {
                let text = "a policy's name has 1 to 128 letters, digits and `+=,.@_-`";
                problems.push((at.clone(), text.to_owned()));
            }
            let its = document.problems(Use::Identity).into_iter();
            problems.extend(its.map(|text| (at.clone(), text)));
        }
        let inline: usize = self.policies.values().map(|one| one.text().len()).sum();
        if inline > 10_240 {
            let text =
                format!("the inline policies have {inline} characters; a role has at most 10240");
            problems.push((at("policies"), text));
        }
        problems
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        listing::discover(cx, wanted).await
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = difference::diff(self, live, target);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let live = match live {
            Some(live) => live.clone(),
            None => create::created(self, cx, target).await?,
        };
        change::apply(self, cx, target, live).await
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        change::depose(cx, old, address).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Role {
    fn name(&self, target: Target<'_>) -> String {
        named::name_of(self.name.as_ref(), target)
    }
}

/// A name as IAM takes it, of at most `most` characters.
pub(super) fn is_name(name: &str, most: usize) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    (1..=most).contains(&name.len()) && name.chars().all(fits)
}

/// A description as IAM takes it.
pub(super) fn description_fits(description: Option<&str>) -> bool {
    description.is_none_or(|text| text.chars().count() <= 1000)
}
