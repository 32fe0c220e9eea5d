//! The types of record that can be declared.

use schemars::JsonSchema;
use serde::Deserialize;

/// A type of DNS record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Which authorities may issue certificates.
    Caa,
    /// Another name of what another domain leads to.
    Cname,
    /// Mail servers.
    Mx,
    /// Servers of a service.
    Srv,
    /// Text.
    Txt,
}

impl RecordType {
    /// As DNS writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Srv => "SRV",
            Self::Txt => "TXT",
        }
    }
}
