//! Ports and protocols of a rule as a playbook writes them.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, Unexpected, Visitor};

/// One port, a range of them, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// First.
    pub first: u16,
    /// Last.
    pub last: u16,
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (0, u16::MAX) => f.write_str("all"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl JsonSchema for Ports {
    fn schema_name() -> Cow<'static, str> {
        "Ports".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": 65535 },
            { "type": "string", "pattern": "^(all|[0-9]{1,5}(-[0-9]{1,5})?)$" },
        ]})
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortsVisitor)
    }
}

struct PortsVisitor;

impl Visitor<'_> for PortsVisitor {
    type Value = Ports;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a port (`22`), a range (`8000-8100`) or `all`")
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<Ports, E> {
        let port = u16::try_from(port)
            .map_err(|_| E::custom(format!("`{port}` is no port: they go from 0 to 65535")))?;
        Ok(Ports {
            first: port,
            last: port,
        })
    }

    fn visit_u64<E: de::Error>(self, port: u64) -> Result<Ports, E> {
        self.visit_i64(i64::try_from(port).unwrap_or(i64::MAX))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ports, E> {
        if text == "all" {
            return Ok(Ports {
                first: 0,
                last: u16::MAX,
            });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Ports { first, last }),
            (Ok(_), Ok(_)) => Err(E::custom(format!(
                "the range `{text}` ends before it begins"
            ))),
            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
        }
    }
}

/// The protocol of a rule
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, all types; to IPv6 addresses, `ICMPv6`.
    Icmp,
    /// Everything.
    All,
}
