//! The rules of a security group: as written, as AWS has them, and what differs.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use schemars::JsonSchema;
use serde::Deserialize;

use super::peer::{Peer, PeerName, Resolver};
use super::ports::{Ports, Protocol};
use crate::base::node::Step;
use crate::resources::one_or_many::OneOrMany;

/// What may come in
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ingress {
    /// Ports: `22`, `[80, 443]`, `8000-8100` or `all`; needed for TCP and UDP
    pub ports: Option<OneOrMany<Ports>>,
    /// `tcp` (if not given), `udp`, `icmp` or `all`
    #[serde(default)]
    #[schemars(extend("default" = "tcp"))]
    pub protocol: Protocol,
    /// From where: a CIDR block, `me`, `anywhere`, `self` (this group), the name of
    /// another security group, or a list of them
    pub from: OneOrMany<PeerName>,
    /// A note shown in AWS
    pub description: Option<String>,
}

/// What may go out
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Egress {
    /// Ports: `22`, `[80, 443]`, `8000-8100` or `all`; needed for TCP and UDP
    pub ports: Option<OneOrMany<Ports>>,
    /// `tcp` (if not given), `udp`, `icmp` or `all`
    #[serde(default)]
    #[schemars(extend("default" = "tcp"))]
    pub protocol: Protocol,
    /// To where: a CIDR block, `me`, `anywhere`, `self` (this group), the name of
    /// another security group, or a list of them
    pub to: OneOrMany<PeerName>,
    /// A note shown in AWS
    pub description: Option<String>,
}

/// Either of the two, as far as they are alike.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    ports: Option<&'a OneOrMany<Ports>>,
    protocol: Protocol,
    peers: &'a OneOrMany<PeerName>,
    description: Option<&'a str>,
}

impl<'a> From<&'a Ingress> for Written<'a> {
    fn from(rule: &'a Ingress) -> Self {
        Self {
            ports: rule.ports.as_ref(),
            protocol: rule.protocol,
            peers: &rule.from,
            description: rule.description.as_deref(),
        }
    }
}

impl<'a> From<&'a Egress> for Written<'a> {
    fn from(rule: &'a Egress) -> Self {
        Self {
            ports: rule.ports.as_ref(),
            protocol: rule.protocol,
            peers: &rule.to,
            description: rule.description.as_deref(),
        }
    }
}

impl Written<'_> {
    /// What can be told to be wrong, with the place below `path`; `side` is `from` or `to`.
    pub fn problems(self, path: &[Step], side: &str, found: &mut Vec<(Vec<Step>, String)>) {
        let key = |key: &str| [path, &[Step::Key(key.to_owned())]].concat();
        match (self.protocol, self.ports) {
            (Protocol::Tcp | Protocol::Udp, None) => found.push((
                path.to_vec(),
                "a rule for TCP or UDP needs `ports`; write `ports: all` for all of them"
                    .to_owned(),
            )),
            (Protocol::Icmp | Protocol::All, Some(_)) => found.push((
                key("ports"),
                "only rules for TCP and UDP have `ports`".to_owned(),
            )),
            _ => {}
        }
        for (index, peer) in self.peers.0.iter().enumerate() {
            if let Some(problem) = peer.problem() {
                let place = [key(side).as_slice(), &[Step::Index(index)]].concat();
                found.push((place, problem));
            }
        }
        if self.description.is_some_and(|text| !super::is_plain(text)) {
            found.push((key("description"), super::PLAIN.to_owned()));
        }
    }

    /// How many rules it is for AWS, which counts those of IPv4 and of IPv6 apart: without those to
    /// blocks of IPv6.
    #[must_use]
    pub fn count(self) -> u64 {
        let ports = self.ports.map_or(1, |ports| ports.0.len());
        let peers = self.peers.0.iter().filter(|peer| !peer.0.contains(':'));
        u64::try_from(ports * peers.count()).unwrap_or(u64::MAX)
    }

    /// One rule per port and peer.
    #[must_use]
    pub fn rules(self, with: Resolver<'_>) -> Vec<Rule> {
        let ports: Vec<Option<Ports>> = match self.ports {
            Some(ports) => ports.0.iter().copied().map(Some).collect(),
            None => vec![None],
        };
        let peers = self.peers.0.iter().flat_map(|peer| peer.resolve(with));
        let peers: Vec<_> = peers.collect();
        let rule = |ports: Option<Ports>, peer: &Peer| Rule {
            protocol: match self.protocol {
                Protocol::Tcp => "tcp",
                Protocol::Udp => "udp",
                Protocol::Icmp if matches!(peer, Peer::Cidr(net) if net.contains(':')) => "icmpv6",
                Protocol::Icmp => "icmp",
                Protocol::All => "-1",
            }
            .to_owned(),
            ports: ports.map(|ports| (i32::from(ports.first), i32::from(ports.last))),
            peer: peer.clone(),
            description: self.description.map(str::to_owned),
        };
        let each = ports
            .iter()
            .flat_map(|ports| peers.iter().map(|peer| rule(*ports, peer)));
        each.collect()
    }
}

/// One rule as AWS has it: one protocol, one range of ports, one peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    protocol: String,
    ports: Option<(i32, i32)>,
    peer: Peer,
    pub(super) description: Option<String>,
}

impl Rule {
    /// Everything, to this block.
    #[must_use]
    pub fn everything(cidr: &str) -> Self {
        Self {
            protocol: "-1".to_owned(),
            ports: None,
            peer: Peer::Cidr(cidr.to_owned()),
            description: None,
        }
    }

    /// The group that it refers to.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        match &self.peer {
            Peer::Group(id) => Some(id),
            _ => None,
        }
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.ports == other.ports && self.peer == other.peer
    }

    /// The rule in words: `tcp 22 from 10.0.0.0/8`.
    #[must_use]
    pub fn words(&self, side: &str, with: Resolver<'_>) -> String {
        let protocol = match self.protocol.as_str() {
            "-1" => "all",
            other => other,
        };
        let ports = match self.ports {
            Some((0, 65535)) => " all ports".to_owned(),
            Some((first, last)) if first == last => format!(" {first}"),
            Some((first, last)) => format!(" {first}-{last}"),
            None => String::new(),
        };
        let peer = with.words(&self.peer);
        let note = self.description.as_ref().map(|text| format!(" ({text})"));
        format!(
            "{protocol}{ports} {side} {peer}{}",
            note.unwrap_or_default()
        )
    }

    /// As EC2 wants it.
    #[must_use]
    pub(super) fn permission(&self) -> IpPermission {
        let permission = IpPermission::builder()
            .ip_protocol(&self.protocol)
            .set_from_port(self.ports.map_or(self.any_type(), |(first, _)| Some(first)))
            .set_to_port(self.ports.map_or(self.any_type(), |(_, last)| Some(last)));
        let note = self.description.clone();
        match &self.peer {
            Peer::Cidr(net) if net.contains(':') => permission.ipv6_ranges(
                Ipv6Range::builder()
                    .cidr_ipv6(net)
                    .set_description(note)
                    .build(),
            ),
            Peer::Cidr(net) => permission.ip_ranges(
                IpRange::builder()
                    .cidr_ip(net)
                    .set_description(note)
                    .build(),
            ),
            Peer::Group(id) | Peer::Pending(id) => permission.user_id_group_pairs(
                UserIdGroupPair::builder()
                    .group_id(id)
                    .set_description(note)
                    .build(),
            ),
            Peer::PrefixList(id) => permission.prefix_list_ids(
                PrefixListId::builder()
                    .prefix_list_id(id)
                    .set_description(note)
                    .build(),
            ),
        }
        .build()
    }

    /// ICMP: type and code -1 stand for any.
    fn any_type(&self) -> Option<i32> {
        self.protocol.starts_with("icmp").then_some(-1)
    }

    /// All the rules in what EC2 reports.
    #[must_use]
    pub(super) fn read(permissions: Option<Vec<IpPermission>>) -> Vec<Self> {
        let permissions = permissions.into_iter().flatten();
        let mut rules: Vec<_> = permissions.flat_map(Self::read_one).collect();
        rules.sort();
        rules
    }

    fn read_one(permission: IpPermission) -> Vec<Self> {
        let protocol = permission.ip_protocol.unwrap_or_default();
        let ports = match (permission.from_port, permission.to_port) {
            (Some(first), Some(last)) if first >= 0 && protocol != "-1" => Some((first, last)),
            _ => None,
        };
        let v4 = permission.ip_ranges.into_iter().flatten();
        let v4 = v4.filter_map(|range| Some((Peer::Cidr(range.cidr_ip?), range.description)));
        let v6 = permission.ipv6_ranges.into_iter().flatten();
        let v6 = v6.filter_map(|range| Some((Peer::Cidr(range.cidr_ipv6?), range.description)));
        let groups = permission.user_id_group_pairs.into_iter().flatten();
        let groups =
            groups.filter_map(|pair| Some((Peer::Group(pair.group_id?), pair.description)));
        let lists = permission.prefix_list_ids.into_iter().flatten();
        let lists = lists
            .filter_map(|list| Some((Peer::PrefixList(list.prefix_list_id?), list.description)));
        v4.chain(v6)
            .chain(groups)
            .chain(lists)
            .map(|(peer, description)| Self {
                protocol: protocol.clone(),
                ports,
                peer,
                description: description.filter(|text| !text.is_empty()),
            })
            .collect()
    }
}
