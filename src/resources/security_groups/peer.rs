//! The other side of a rule: addresses, this machine, anywhere, or another security group.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use crate::base::{Address, World};
use crate::resources::reference::named;

/// Texts that are addresses or words of their own, not names of other security groups: `me`, `self`,
/// `anywhere`, prefix lists, whatever has a slash or looks like an IP address.
const NO_GROUP: &str = "^(me|self|anywhere|pl-[0-9a-f]+|.*/.*|[0-9a-fA-F]*[.:][0-9a-fA-F.:]*)$";

/// The other side as a playbook writes it: a CIDR block, `me` (this machine's own address),
/// `anywhere`, `self` (this group), the id of a prefix list, or the name of a security group
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct PeerName(pub String);

impl JsonSchema for PeerName {
    fn schema_name() -> Cow<'static, str> {
        "PeerName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a CIDR block, `me` (this machine's own address), `anywhere`, `self` \
                (this group), or the name of a security group",
            "x-kind": "security_groups",
            "x-kind-unless": NO_GROUP,
        })
    }
}

/// The other side as AWS has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// A CIDR block in canonical form.
    Cidr(String),
    /// Id of a security group.
    Group(String),
    /// Id of a prefix list.
    PrefixList(String),
    /// What will be known after apply, as the playbook names it.
    Pending(String),
}

/// What a [`PeerName`] is resolved with.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    /// The address under which AWS sees this machine, if it was asked for.
    pub own_ip: Option<IpAddr>,
    /// The security group that has the rule, in the playbook.
    pub own_address: &'a Address,
    /// Its id.
    pub own_id: &'a str,
    /// Where the other groups are found.
    pub world: &'a World,
}

impl PeerName {
    /// What can be told to be wrong with it.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let text = &self.0;
        if let Ok(address) = text.parse::<IpAddr>() {
            let net = IpNet::from(address);
            return Some(format!(
                "`{text}` is one address, not a block: write `{net}`"
            ));
        }
        if !text.contains('/') {
            let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
            let broken = digits && text.contains('.');
            return broken.then(|| format!("`{text}` is not an IP address"));
        }
        match text.parse::<IpNet>() {
            Err(_) => Some(format!(
                "`{text}` is not a CIDR block, such as `10.0.0.0/8`"
            )),
            Ok(net) if net.trunc() != net => {
                let canonical = net.trunc();
                Some(format!(
                    "`{text}` has bits set beyond its prefix: write `{canonical}`"
                ))
            }
            Ok(_) => None,
        }
    }

    /// What AWS has to be told; `anywhere` is two.
    #[must_use]
    pub fn resolve(&self, with: Resolver<'_>) -> Vec<Peer> {
        let text = self.0.as_str();
        match text {
            "anywhere" => vec![
                Peer::Cidr("0.0.0.0/0".to_owned()),
                Peer::Cidr("::/0".to_owned()),
            ],
            "me" => vec![match with.own_ip {
                Some(ip) => Peer::Cidr(IpNet::from(ip).to_string()),
                None => Peer::Pending("me".to_owned()),
            }],
            _ if text.contains('/') => vec![match text.parse::<IpNet>() {
                Ok(net) => Peer::Cidr(net.trunc().to_string()),
                Err(_) => Peer::Cidr(text.to_owned()),
            }],
            _ if text.starts_with("pl-") => vec![Peer::PrefixList(text.to_owned())],
            _ => vec![with.group(text)],
        }
    }
}

impl Resolver<'_> {
    fn group(&self, name: &str) -> Peer {
        let own = name == "self" || name == self.own_address.name;
        let id = if own && !self.own_id.is_empty() {
            Some(self.own_id)
        } else {
            self.world.id("security_groups", name)
        };
        match id {
            Some(id) => Peer::Group(id.to_owned()),
            None => Peer::Pending(name.to_owned()),
        }
    }

    /// The peer in words: groups by the playbook's name where it has one.
    #[must_use]
    pub fn words(&self, peer: &Peer) -> String {
        match peer {
            Peer::Cidr(text) | Peer::PrefixList(text) => text.clone(),
            Peer::Pending(name) => format!("{name} (known after apply)"),
            Peer::Group(id) if id == self.own_id => format!("group {}", self.own_address.name),
            Peer::Group(id) => format!("group {}", named(self.world, "security_groups", id)),
        }
    }
}
