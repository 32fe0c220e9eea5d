//! VPCs with public subnets, an internet gateway, and the route to it.

use aws_sdk_ec2::types::Filter;
use schemars::JsonSchema;
use serde::Deserialize;

use super::named::with_name;
use super::quotas;
use crate::aws::ec2::{filter, of_stack, write_address};
use crate::aws::{Tags, tags};
use crate::base::node::Step;
use crate::base::{Address, Cost, Diff, OutputMeaning, Outputs, Result, Shown};
use crate::contract::{Context, Iam, Part, Presence, Quota, Resource, Target, Wanted};

pub mod cidr;
mod creation;
mod delete;
mod gateway;
mod listing;
mod subnets;
mod whole;

use cidr::Cidr;
use listing::Parts;

const ARN: &str = "ec2:vpc/";
/// Every IPv4 address.
const EVERYWHERE: &str = "0.0.0.0/0";

/// A network of its own (a VPC) with a public subnet in two or more availability zones, an internet
/// gateway, and the route to it. Machines in it get public addresses and DNS names
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// The block of private addresses that it has, `/16` to `/28`
    #[serde(default = "ten")]
    #[schemars(extend("x-fixed" = true))]
    pub cidr: String,
    /// In how many availability zones (separate data centres of the region) it has a subnet, each
    /// with a sixteenth of its addresses; 2 if not given
    #[schemars(range(min = 2, max = 6))]
    pub zones: Option<u32>,
    /// The subnets one by one, instead of `zones`
    pub subnets: Option<Vec<Subnet>>,
}

/// A subnet: a part of the network's addresses, in one availability zone
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subnet {
    /// Availability zone, such as `eu-west-1a`
    pub zone: String,
    /// Its part of the network's block of addresses, `/16` to `/28`
    pub cidr: String,
}

fn ten() -> String {
    "10.0.0.0/16".to_owned()
}

/// A network in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    id: String,
    cidr: String,
    /// Ordered by zone.
    subnets: Vec<LiveSubnet>,
    /// The attached one first; more where an answer was lost.
    gateways: Vec<Gateway>,
    /// The main route table, which subnets follow that have none of their own.
    route_table: Option<String>,
    /// The route table carries the stack's tags.
    table_tagged: bool,
    /// Where the main route table sends what is for everywhere else.
    route: Option<String>,
    tags: Tags,
    /// VPCs of the same resource: an answer was lost, and the run killed before it deleted them.
    surplus: Vec<String>,
}

/// A subnet in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LiveSubnet {
    id: String,
    zone: String,
    cidr: String,
    /// Machines in it get public addresses.
    public: bool,
}

/// An internet gateway in AWS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Gateway {
    id: String,
    /// What it is attached to.
    vpc: Option<String>,
}

impl Gateway {
    fn is_attached_to(&self, vpc: &str) -> bool {
        self.vpc.as_deref() == Some(vpc)
    }
}

impl Live {
    /// The gateway that the network uses.
    fn gateway(&self) -> Option<&str> {
        let mut gateways = self.gateways.iter();
        let attached = gateways.find(|it| it.is_attached_to(&self.id));
        attached.map(|gateway| gateway.id.as_str())
    }

    /// Ids of all that carries its tags.
    fn ids(&self) -> Vec<String> {
        let subnets = self.subnets.iter().map(|subnet| &subnet.id);
        let gateways = self.gateways.iter().map(|gateway| &gateway.id);
        let parts = subnets.chain(gateways).chain(&self.route_table);
        let all = std::iter::once(&self.id).chain(parts);
        all.chain(&self.surplus).cloned().collect()
    }
}

impl crate::contract::Live for Live {
    fn id(&self) -> &str {
        &self.id
    }

    fn name(&self) -> Option<&str> {
        self.tags.value("Name")
    }

    fn tags(&self) -> &Tags {
        &self.tags
    }

    fn cost(&self, _region: &str) -> Option<Cost> {
        Some(Cost::default())
    }

    fn outputs(&self) -> Outputs {
        let subnets = self.subnets.iter();
        let (ids, zones): (Vec<_>, Vec<_>) = subnets
            .map(|subnet| (subnet.id.clone(), subnet.zone.clone()))
            .unzip();
        Outputs::default()
            .with("id", self.id.as_str())
            .with("cidr", self.cidr.as_str())
            .with("subnet_ids", ids)
            .with("zones", zones)
            .with("route_table_id", self.route_table.as_deref())
            .with("internet_gateway_id", self.gateway())
    }

    fn parts(&self) -> Vec<Part> {
        let part = |noun| {
            move |id: &String| Part {
                noun,
                id: id.clone(),
            }
        };
        let subnets = self.subnets.iter().map(|it| &it.id).map(part("subnet"));
        let gateways = self.gateways.iter().map(|it| &it.id);
        let gateways = gateways.map(part("internet gateway"));
        let tables = self.route_table.iter().map(part("route table"));
        let surplus = self.surplus.iter().map(part("network"));
        subnets
            .chain(gateways)
            .chain(tables)
            .chain(surplus)
            .collect()
    }
}

impl Resource for Network {
    const KIND: &'static str = "networks";
    // AWS has no listing of a VPC with its parts. Where all is as it was made, two of them tell of
    // the other two.
    const IAM: Iam = Iam {
        discover: &[
            "tag:GetResources",
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeRouteTables",
        ],
        apply: &[
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeRouteTables",
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeNetworkInterfaces",
            "ec2:CreateVpc",
            "ec2:DeleteVpc",
            "ec2:ModifyVpcAttribute",
            "ec2:CreateSubnet",
            "ec2:ModifySubnetAttribute",
            "ec2:DeleteSubnet",
            "ec2:CreateInternetGateway",
            "ec2:AttachInternetGateway",
            "ec2:DetachInternetGateway",
            "ec2:DeleteInternetGateway",
            "ec2:CreateRoute",
            "ec2:ReplaceRoute",
            "ec2:CreateTags",
            "ec2:DeleteTags",
        ],
        delete: &[
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeInternetGateways",
            "ec2:DescribeRouteTables",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DeleteSubnet",
            "ec2:DetachInternetGateway",
            "ec2:DeleteInternetGateway",
            "ec2:DeleteVpc",
        ],
    };
    const OUTPUTS: &'static [OutputMeaning] = &[
        ("id", "Id of the VPC"),
        ("cidr", "Its block of addresses"),
        ("subnet_ids", "Ids of its subnets, ordered by zone"),
        ("zones", "Availability zones of its subnets, in that order"),
        ("route_table_id", "Id of its main route table"),
        ("internet_gateway_id", "Id of its internet gateway"),
    ];
    const ARN: Option<&'static str> = Some(ARN);
    const DELETE_RANK: u8 = 116;
    const QUOTA: Option<Quota> = Some(quotas::VPCS);
    // Two VPCs may have the same addresses, and nothing in a network has a name.
    const CREATE_FIRST: bool = true;
    type Live = Live;

    fn check(&self) -> Vec<(Vec<Step>, String)> {
        let at = |key: &str| vec![Step::Key(key.to_owned())];
        let mut found = Vec::new();
        let block = |text: &str| {
            let read = Cidr::read(text).filter(|it| (16..=28).contains(&it.prefix()));
            read.ok_or_else(|| {
                format!(
                    "`{text}` is not a block of IPv4 addresses from `/16` to `/28`, such as \
                     `10.0.0.0/16`"
                )
            })
        };
        let whole = block(&self.cidr);
        if let Err(problem) = &whole {
            found.push((at("cidr"), problem.clone()));
        }
        if self.zones.is_some() && self.subnets.is_some() {
            let text = "write `zones` or `subnets`, not both";
            found.push((at("zones"), text.to_owned()));
        }
        if !(2..=6).contains(&self.zone_count()) {
            let text = "a network has subnets in 2 to 6 zones";
            found.push((at("zones"), text.to_owned()));
        }
        let Some(subnets) = &self.subnets else {
            if whole.is_ok_and(|whole| whole.prefix() > 24) {
                let text = "subnets have at least 16 addresses (`/28`), and each gets a sixteenth \
                            of the network's: write `/24` or larger, or `subnets` one by one";
                found.push((at("cidr"), text.to_owned()));
            }
            return found;
        };
        if subnets.is_empty() {
            let text = "a network has at least one subnet";
            found.push((at("subnets"), text.to_owned()));
        }
        let mut seen: Vec<Cidr> = Vec::new();
        for (index, subnet) in subnets.iter().enumerate() {
            let path = [at("subnets"), vec![Step::Index(index)], at("cidr")].concat();
            match (block(&subnet.cidr), &whole) {
                (Err(problem), _) => found.push((path, problem)),
                (Ok(part), Ok(whole)) if !whole.holds(part) => {
                    let text = format!("`{part}` is not within the network's `{whole}`");
                    found.push((path, text));
                }
                (Ok(part), _) if seen.iter().any(|other| other.overlaps(part)) => {
                    found.push((path, format!("`{part}` overlaps with another subnet")));
                }
                (Ok(part), _) => seen.push(part),
            }
        }
        found
    }

    async fn discover(cx: &Context, wanted: &Wanted) -> Result<Vec<Live>> {
        let mut found = match whole::networks(cx, wanted).await? {
            Some(found) => found,
            None => listing::networks(cx, vec![of_stack(&cx.stack)], Parts::Owned).await?,
        };
        let (ids, names): (Vec<_>, Vec<_>) = wanted
            .external
            .iter()
            .partition(|name| name.starts_with("vpc-"));
        for (key, values) in [("vpc-id", ids), ("tag:Name", names)] {
            if !values.is_empty() {
                let filters = vec![filter(key, values)];
                let others = listing::networks(cx, filters, Parts::All).await?;
                let is_new = |live: &Live| live.tags.value(tags::STACK) != Some(&cx.stack);
                found.extend(others.into_iter().filter(is_new));
            }
        }
        Ok(found)
    }

    fn diff(&self, live: &Live, target: Target<'_>) -> Result<Diff> {
        let diff = Diff::default().fixed("cidr", Shown::of(&live.cidr), Shown::of(&self.cidr));
        let diff = subnets::diff(diff, self, live);
        let private = live.subnets.iter().filter(|subnet| !subnet.public);
        let private = Shown::list(private.map(|subnet| format!("not in {}", subnet.cidr)));
        let on = || Shown::of("on");
        let diff = match private {
            Shown::Absent => diff,
            private => diff.field("public addresses", private, on()),
        };
        let gateway = live.gateway();
        let diff = diff.field(
            "internet gateway",
            Shown::option(gateway.map(|_| "attached")),
            Shown::of("attached"),
        );
        let diff = match (&live.route, gateway) {
            (Some(route), Some(gateway)) if route == gateway => diff,
            (route, gateway) => diff.field(
                "route to everywhere",
                Shown::option(route.as_ref()),
                gateway.map_or(Shown::AfterApply, Shown::of),
            ),
        };
        let twice = live.gateways.iter().skip(1).map(|gateway| &gateway.id);
        let twice = Shown::list(twice.chain(&live.surplus));
        let diff = diff.field("made twice", twice, Shown::Absent);
        Ok(tags::diff(diff, &live.tags, &with_name(target)))
    }

    async fn apply(&self, cx: &Context, target: Target<'_>, live: Option<&Live>) -> Result<Live> {
        creation::apply(self, cx, target, live).await
    }

    async fn depose(cx: &Context, old: &Live, address: &Address) -> Result<()> {
        write_address(&cx.aws, &old.ids(), address).await
    }

    async fn delete(cx: &Context, live: &Live) -> Result<()> {
        delete::delete(cx, live).await
    }

    async fn presence(cx: &Context, ids: &[String]) -> Vec<Presence> {
        delete::presence(cx, ids).await
    }
}

impl Network {
    fn zone_count(&self) -> u32 {
        self.zones.unwrap_or(2)
    }
}

/// What carries the tags of this resource.
fn ours(cx: &Context, address: &Address) -> Vec<Filter> {
    vec![of_stack(&cx.stack), crate::aws::ec2::of_address(address)]
}
