//! EC2 elastic IPs: a public address that stays, and the instance it leads to.

use std::time::Duration;

use aws_sdk_ec2::types::{Address as SdkAddress, DomainType, Filter, ResourceType};
use schemars::JsonSchema;
use serde::Deserialize;

use super::presence::present_by_tags;
use super::prices::monthly;
use super::quotas;
use super::reference::AttachedInstanceName;
use crate::aws::ec2::{filter, of_address, of_stack, retag, specification, tags_of};
use crate::aws::{Poll, Tags, Wait, is_code, refused, tags};
use crate::base::{Address, Cost, Diff, Error, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted};

/// A public IPv4 address costs the same whether it is in use or only kept.
const IPV4: &str = "ec2/public-ipv4";

/// A public IPv4 address that stays the same
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ElasticIp {
    /// The instance that it leads to; without it, the address is only kept
    pub instance: Option<AttachedInstanceName>,
}

/// An elastic IP in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    public_ip: String,
    instance: Option<String>,
    association: Option<String>,
    tags: Tags,
    /// More of the same resource: an answer was lost, and the run killed before it let go of them.
    surplus: Vec<Live>,
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        Some(&self.public_ip)
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn outputs(&self) -> Outputs {
        Outputs::default()
            .with("id", self.id.as_str())
            .with("public_ip", self.public_ip.as_str())
            .with("instance_id", self.instance.as_deref())
            .with("association_id", self.association.as_deref())
    }

    fn parts(&self) -> Vec<Part> {
        let surplus = self.surplus.iter().map(|other| Part {
            noun: "elastic ip",
            id: other.id.clone(),
        });
        surplus.collect()
    }

    fn cost(&self, region: &str) -> Option<Cost> {
        let all = std::iter::once(self).chain(&self.surplus);
        Some(all.map(|_| monthly(IPV4, region, 1.0)).sum())
    }
}

impl Resource for ElasticIp {
    const KIND: &'static str = "elastic_ips";
    const IAM: Iam = Iam {
        discover: &["ec2:DescribeAddresses"],
        apply: &[
            "ec2:DescribeAddresses",
            "ec2:AllocateAddress",
            "ec2:AssociateAddress",
            "ec2:DisassociateAddress",
            "ec2:ReleaseAddress",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &[
            "ec2:DescribeTags",
            "ec2:DisassociateAddress",
            "ec2:ReleaseAddress",
            "ec2:DescribeAddresses",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Allocation id"),
        ("public_ip", "The address"),
        ("instance_id", "Id of the instance that it is attached to"),
        ("association_id", "Id of the attachment"),
    ];
    const ARN: Option<&'static str> = Some("ec2:elastic-ip/");
    const DELETE_RANK: u8 = 106;
    const FREED_BY: &'static [&'static str] = &["instances"];
    const QUOTA: Option<Quota> = Some(quotas::ELASTIC_IPS);
    type Live = Live;

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = one_each(list(cx, vec![of_stack(&cx.stack)]).await?);
        let (ids, addresses): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("eipalloc-"));
        for (key, values) in [("allocation-id", ids), ("public-ip", addresses)] {
            if !values.is_empty() {
                found.extend(list(cx, vec![filter(key, values)]).await?);
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let wanted = match &self.instance {
            None => Shown::Absent,
            Some(name) => match target.world.id("instances", &name.0) {
                Some(id) => Shown::of(id),
                None => Shown::AfterApply,
            },
        };
        let diff = Diff::default().field("instance", Shown::option(live.instance.as_ref()), wanted);
        let diff = if diff.is_empty() {
            diff
        } else {
            diff.unsettles("instance_id").unsettles("association_id")
        };
        let surplus = Shown::list(live.surplus.iter().map(|other| &other.public_ip));
        let diff = diff.field("allocated twice", surplus, Shown::Absent);
        Ok(tags::diff(diff, &live.tags, target.tags))
    }

    fn cost(&self, region: &str) -> Cost {
        monthly(IPV4, region, 1.0)
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        let mut live = match live {
            Some(live) => live.clone(),
            None => found_or_allocated(cx, target).await?,
        };
        release_surplus(cx, &mut live).await?;
        retag(
            &cx.aws,
            std::slice::from_ref(&live.id),
            &live.tags,
            target.tags,
        )
        .await?;
        live.tags.apply(target.tags);
        match &self.instance {
            None => disassociate(cx, &mut live).await?,
            Some(name) => {
                let id = target.world.id("instances", &name.0).ok_or_else(|| {
                    Error::playbook(format!("instance `{}` does not exist", name.0), target.at)
                })?;
                associate(cx, target, &mut live, id).await?;
            }
        }
        Ok(live)
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        let mut live = live.clone();
        release_surplus(cx, &mut live).await?;
        // An instance that was terminated has let go of it.
        release(cx, &live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        let by_id = |ids| list(cx, vec![filter::<String>("allocation-id", ids)]);
        present_by_tags(cx, ids, by_id, |live: Live| (live.id, live.public_ip)).await
    }
}

impl From<SdkAddress> for Live {
    fn from(address: SdkAddress) -> Self {
        Self {
            id: address.allocation_id.unwrap_or_default(),
            public_ip: address.public_ip.unwrap_or_default(),
            instance: address.instance_id.filter(|id| !id.is_empty()),
            association: address.association_id.filter(|id| !id.is_empty()),
            tags: tags_of(address.tags),
            surplus: Vec::new(),
        }
    }
}

async fn list(cx: &Context, filters: Vec<Filter>) -> Result<Vec<Live>> {
    let call = cx.aws.ec2.describe_addresses().set_filters(Some(filters));
    let listed = call
        .send()
        .await
        .map_err(refused("ec2:DescribeAddresses"))?;
    Ok(listed
        .addresses
        .into_iter()
        .flatten()
        .map(Live::from)
        .collect())
}

/// `AllocateAddress` takes no client token, and the SDK sends it again when an answer is lost:
/// several may come of it.
async fn found_or_allocated(cx: &Context, target: Target<'_>) -> Result<Live> {
    let ours = || vec![of_stack(&cx.stack), of_address(target.address)];
    // Never another address than the one that it has.
    if let Some(live) = one_each(list(cx, ours()).await?).into_iter().next() {
        return Ok(live);
    }
    let call = cx.aws.ec2.allocate_address().domain(DomainType::Vpc);
    let tags = specification(ResourceType::ElasticIp, target.tags);
    let made = call.tag_specifications(tags).send().await;
    let made = made.map_err(refused("ec2:AllocateAddress"))?;
    let found = one_each(list(cx, ours()).await?).into_iter().next();
    Ok(found.unwrap_or_else(|| Live {
        id: made.allocation_id.unwrap_or_default(),
        public_ip: made.public_ip.unwrap_or_default(),
        tags: target.tags.clone(),
        ..Live::default()
    }))
}

/// One for each owner, the associated one first, with the others as its surplus.
fn one_each(mut found: Vec<Live>) -> Vec<Live> {
    found.sort_by(|a, b| (a.association.is_none(), &a.id).cmp(&(b.association.is_none(), &b.id)));
    let mut kept: Vec<Live> = Vec::new();
    for live in found {
        let owner = live.tags.owner();
        let same = |other: &&mut Live| owner.is_some() && other.tags.owner() == owner;
        match kept.iter_mut().find(same) {
            Some(first) => first.surplus.push(live),
            None => kept.push(live),
        }
    }
    kept
}

async fn release_surplus(cx: &Context, live: &mut Live) -> Result<()> {
    for mut other in std::mem::take(&mut live.surplus) {
        disassociate(cx, &mut other).await?;
        release(cx, &other).await?;
    }
    Ok(())
}

async fn associate(cx: &Context, target: Target<'_>, live: &mut Live, id: &str) -> Result<()> {
    if live.instance.as_deref() == Some(id) {
        return Ok(());
    }
    let news = |text: &str| cx.progress.doing(target.address, text);
    let wait = Wait::new(
        format!("`{id}` to take the address"),
        Duration::from_mins(2),
        &news,
    );
    let association = wait.until(async || {
        let call = cx.aws.ec2.associate_address().allocation_id(&live.id);
        let call = call.instance_id(id).allow_reassociation(true);
        match call.send().await.map_err(refused("ec2:AssociateAddress")) {
            Ok(done) => Ok(Poll::Ready(done.association_id)),
            // The instance is still starting or stopping, or the address is not visible yet.
            Err(error)
                if is_code(&error, "IncorrectInstanceState")
                    || is_code(&error, "InvalidAllocationID.NotFound") =>
            {
                Ok(Poll::Pending(error.message().to_owned()))
            }
            Err(error) => Err(error),
        }
    });
    live.association = association.await?;
    live.instance = Some(id.to_owned());
    Ok(())
}

async fn disassociate(cx: &Context, live: &mut Live) -> Result<()> {
    let Some(association) = live.association.take() else {
        return Ok(());
    };
    live.instance = None;
    let call = cx
        .aws
        .ec2
        .disassociate_address()
        .association_id(association);
    match call
        .send()
        .await
        .map_err(refused("ec2:DisassociateAddress"))
    {
        Err(error) if !is_code(&error, "InvalidAssociationID.NotFound") => Err(error),
        _ => Ok(()),
    }
}

async fn release(cx: &Context, live: &Live) -> Result<()> {
    let address = match live.tags.owner() {
        Some(owner) => owner.address,
        None => Address::new(ElasticIp::KIND, &live.public_ip),
    };
    let news = |text: &str| cx.progress.doing(&address, text);
    let wait = Wait::new(
        format!("`{}` to be free", live.public_ip),
        Duration::from_mins(2),
        &news,
    );
    wait.until(async || {
        let call = cx.aws.ec2.release_address().allocation_id(&live.id);
        match call.send().await.map_err(refused("ec2:ReleaseAddress")) {
            Ok(_) => Ok(Poll::Ready(())),
            Err(error) if is_code(&error, "InvalidAllocationID.NotFound") => Ok(Poll::Ready(())),
            Err(error) if is_code(&error, "InvalidIPAddress.InUse") => {
                // Associated anew since we looked, or the disassociation is still on its way.
                let found = list(cx, vec![filter("allocation-id", [&live.id])]).await?;
                for mut live in found {
                    disassociate(cx, &mut live).await?;
                }
                Ok(Poll::Pending("in use".to_owned()))
            }
            Err(error) => Err(error),
        }
    })
    .await
}
