//! An account's limits as AWS sets them at first, and what counts against them.

/// What a [`Quota`] is a limit of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of an account in one region.
    Region,
    /// All of an account, wherever it is.
    Account,
    /// One resource by itself.
    Resource,
}

/// A limit that AWS sets for every new account; most can be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted, as a plural: `elastic IPs`.
    pub noun: &'static str,
    /// Its name under Service Quotas, where it is listed there.
    pub name: Option<&'static str>,
    /// What it is a limit of.
    pub scope: Scope,
    /// How many a new account may have.
    pub most: u64,
    /// The regions with another default.
    pub most_in: &'static [(&'static str, u64)],
}

impl Quota {
    /// How many a new account may have in `region`.
    #[must_use]
    pub fn most_of(&self, region: &str) -> u64 {
        let own = self.most_in.iter().find(|(name, _)| *name == region);
        own.map_or(self.most, |(_, most)| *most)
    }
}
