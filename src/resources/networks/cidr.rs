//! Blocks of IPv4 addresses: `10.0.0.0/16`.

use std::fmt;
use std::net::Ipv4Addr;

/// A block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    first: u32,
    prefix: u32,
}

impl Cidr {
    /// Reads one; `None` when the text is no block, or its address is not the block's first.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let first: u32 = address.parse::<Ipv4Addr>().ok()?.into();
        let prefix: u32 = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        let it = Self { first, prefix };
        (first & it.rest() == 0).then_some(it)
    }

    /// Length of the part of the address that all of the block have, in bits.
    #[must_use]
    pub fn prefix(self) -> u32 {
        self.prefix
    }

    /// The bits in which addresses of the block differ.
    fn rest(self) -> u32 {
        u32::MAX.checked_shr(self.prefix).unwrap_or(0)
    }

    /// All of `other` is in this block.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        other.prefix >= self.prefix && other.first & !self.rest() == self.first
    }

    /// They have addresses in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.holds(other) || other.holds(self)
    }

    /// One of the sixteen equal parts of the block.
    #[must_use]
    pub fn sixteenth(self, index: u32) -> Self {
        let prefix = self.prefix + 4;
        let first = self.first + (index << (32 - prefix));
        Self { first, prefix }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_cut_and_compared() {
        let whole = Cidr::read("10.0.0.0/16").unwrap();
        let parts: Vec<_> = (0..3).map(|n| whole.sixteenth(n).to_string()).collect();
        assert_eq!(parts, ["10.0.0.0/20", "10.0.16.0/20", "10.0.32.0/20"]);
        assert!(whole.holds(whole.sixteenth(15)));
        assert!(!whole.sixteenth(0).overlaps(whole.sixteenth(1)));
        for bad in ["10.0.0.1/16", "10.0.0.0", "10.0.0.0/33", "x/8"] {
            assert_eq!(Cidr::read(bad), None, "{bad}");
        }
    }
}
