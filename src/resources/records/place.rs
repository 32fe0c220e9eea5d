//! Where a record is: its zone, its full name and its type; and where its companion is.

use crate::resources::zones::listing::plain;

/// The label under which a zone's companion records stand, so that they are listed together.
pub(super) const LABEL: &str = "_tidewalk";

/// DNS takes 255 bytes, and the companion of a record is longer than the record.
const LONGEST: usize = 200;

/// The place of one record set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// Id of the zone.
    pub(super) zone: String,
    /// Domain of the zone.
    pub(super) domain: String,
    /// Full name.
    pub(super) fqdn: String,
    /// Type, as DNS writes it.
    pub(super) r#type: String,
}

impl Place {
    /// As resources and parts are known by.
    pub(super) fn id(&self) -> String {
        format!("{}/{}/{}", self.zone, self.fqdn, self.r#type)
    }

    /// The place of the TXT record that tells whose this one is: `a.www._tidewalk.example.com`.
    pub(super) fn companion(&self) -> Self {
        let kind = self.r#type.to_lowercase();
        let within = match within(&self.fqdn, &self.domain) {
            "@" => String::new(),
            name => format!(".{name}"),
        };
        Self {
            zone: self.zone.clone(),
            domain: self.domain.clone(),
            fqdn: format!("{kind}{within}.{LABEL}.{}", self.domain),
            r#type: "TXT".to_owned(),
        }
    }

    /// The place of the record whose companion this one is.
    pub(super) fn of_companion(&self) -> Option<Self> {
        let below = self.fqdn.strip_suffix(&subtree(&self.domain))?;
        let (kind, name) = below.split_once('.').unwrap_or((below, ""));
        if self.r#type != "TXT" || kind.is_empty() {
            return None;
        }
        let name = if name.is_empty() { "@" } else { name };
        Some(Self {
            zone: self.zone.clone(),
            domain: self.domain.clone(),
            fqdn: fqdn(name, &self.domain),
            r#type: kind.to_uppercase(),
        })
    }
}

/// How the names of a zone's companions end.
pub(super) fn subtree(domain: &str) -> String {
    format!(".{LABEL}.{domain}")
}

/// The full name of `name` in a zone; a name that ends in the zone's domain is full already.
pub(super) fn fqdn(name: &str, domain: &str) -> String {
    let name = plain(name);
    if name == "@" || name == domain {
        domain.to_owned()
    } else if name.ends_with(&format!(".{domain}")) {
        name
    } else {
        format!("{name}.{domain}")
    }
}

/// The name within the zone; `@` for the zone's own.
pub(super) fn within<'a>(fqdn: &'a str, domain: &str) -> &'a str {
    match fqdn.strip_suffix(domain) {
        Some("") => "@",
        Some(name) => name.strip_suffix('.').unwrap_or(fqdn),
        None => fqdn,
    }
}

/// What is wrong with a name, if anything.
pub(super) fn problem(name: &str) -> Option<String> {
    if name == "@" {
        return None;
    }
    let plain = name.strip_suffix('.').unwrap_or(name);
    let fits = |label: &str| !label.is_empty() && label.len() <= 63 && !label.contains(' ');
    let whole = plain.len() <= LONGEST && plain.split('.').all(fits);
    let text = format!(
        "`{name}` is no name of a record, such as `www` or `@`: labels of 1 to 63 characters, \
         separated by dots, at most {LONGEST} together"
    );
    (!whole).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_companion_leads_back_to_its_record() {
        for (name, companion) in [
            ("www", "a.www._tidewalk.example.com"),
            ("@", "a._tidewalk.example.com"),
            ("*.x", "a.*.x._tidewalk.example.com"),
        ] {
            let place = Place {
                zone: "Z1".to_owned(),
                domain: "example.com".to_owned(),
                fqdn: fqdn(name, "example.com"),
                r#type: "A".to_owned(),
            };
            assert_eq!(place.companion().fqdn, companion);
            assert_eq!(place.companion().of_companion(), Some(place));
        }
    }

    #[test]
    fn a_name_may_be_written_in_full() {
        assert_eq!(fqdn("WWW.example.com.", "example.com"), "www.example.com");
        assert_eq!(within("www.example.com", "example.com"), "www");
        assert_eq!(within("example.com", "example.com"), "@");
    }
}
