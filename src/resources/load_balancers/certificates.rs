//! Certificates by domain name: what ACM has, and which of it is taken.

use aws_sdk_acm::types::{CertificateStatus, Filters, KeyAlgorithm};
use serde::Deserialize;

use crate::aws::refused;
use crate::base::{Error, Result};
use crate::contract::Context;

/// An issued certificate in ACM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Its ARN.
    pub arn: String,
    /// The domain names that it is for.
    pub domains: Vec<String>,
    /// Seconds since 1970 until which it is good.
    #[serde(default)]
    pub until: i64,
}

impl Certificate {
    /// How well it is for a domain: by name better than by `*.`; nothing when it is not for it.
    fn fits(&self, domain: &str) -> Option<u8> {
        let fits = |own: &String| match own.strip_prefix("*.") {
            _ if own.eq_ignore_ascii_case(domain) => Some(2),
            Some(parent) => {
                let (_, its_parent) = domain.split_once('.')?;
                its_parent.eq_ignore_ascii_case(parent).then_some(1)
            }
            None => None,
        };
        self.domains.iter().filter_map(fits).max()
    }
}

/// Whether the playbook gives a certificate by its ARN.
pub(super) fn is_arn(written: &str) -> bool {
    written.starts_with("arn:")
}

/// The ARN for what the playbook writes. Of several for one domain: the one in use if it is as
/// good as any, else the one that is good for longest.
pub(super) fn resolve(written: &str, known: &[Certificate], used: &[String]) -> Option<String> {
    if is_arn(written) {
        return Some(written.to_owned());
    }
    let fitting = known
        .iter()
        .filter_map(|one| Some((one.fits(written)?, one)));
    let best = fitting.max_by_key(|(fit, one)| {
        let in_use = used.contains(&one.arn);
        (*fit, in_use, one.until, one.arn.as_str())
    });
    best.map(|(_, one)| one.arn.clone())
}

/// The ARN, or what there is instead.
pub(super) fn must_resolve(
    written: &str,
    known: &[Certificate],
    used: &[String],
) -> Result<String> {
    resolve(written, known, used).ok_or_else(|| {
        let text = format!("ACM has no issued certificate for `{written}` in this region");
        let error = known.iter().fold(Error::failed(text), |error, one| {
            error.note(format!("there is one for {}", one.domains.join(", ")))
        });
        error.hint("request it in ACM and let it be validated, or write another domain name")
    })
}

/// All issued certificates of the region.
pub(super) async fn list(cx: &Context) -> Result<Vec<Certificate>> {
    // Without the types of keys, ACM lists RSA 1024 and 2048 only.
    let keys = [
        KeyAlgorithm::Rsa1024,
        KeyAlgorithm::Rsa2048,
        KeyAlgorithm::Rsa3072,
        KeyAlgorithm::Rsa4096,
        KeyAlgorithm::EcPrime256v1,
        KeyAlgorithm::EcSecp384r1,
        KeyAlgorithm::EcSecp521r1,
    ];
    let filter = Filters::builder()
        .set_key_types(Some(keys.to_vec()))
        .build();
    let pages = cx.aws.acm.list_certificates().includes(filter);
    let pages = pages.certificate_statuses(CertificateStatus::Issued);
    let mut items = pages.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(one) = items.next().await {
        let one = one.map_err(refused("acm:ListCertificates"))?;
        let mut domains = one.subject_alternative_name_summaries.unwrap_or_default();
        if let Some(name) = one.domain_name.filter(|name| !domains.contains(name)) {
            domains.insert(0, name);
        }
        found.push(Certificate {
            arn: one.certificate_arn.unwrap_or_default(),
            domains,
            until: one.not_after.map_or(0, |it| it.secs()),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(arn: &str, domains: &[&str], until: i64) -> Certificate {
        let domains = domains.iter().map(|it| (*it).to_owned()).collect();
        let arn = arn.to_owned();
        Certificate {
            arn,
            domains,
            until,
        }
    }

    #[test]
    fn the_certificate_of_the_very_name_is_taken_before_one_with_a_star() {
        let known = [
            one("star", &["ceudata.net", "*.ceudata.net"], 9),
            one("old", &["api.ceudata.net"], 1),
            one("new", &["api.ceudata.net"], 2),
        ];
        let resolve = |domain, used: &[String]| resolve(domain, &known, used);
        assert_eq!(resolve("API.ceudata.net", &[]).as_deref(), Some("new"));
        let old = ["old".to_owned()];
        assert_eq!(resolve("api.ceudata.net", &old).as_deref(), Some("old"));
        assert_eq!(resolve("www.ceudata.net", &old).as_deref(), Some("star"));
        assert_eq!(resolve("ceudata.net", &[]).as_deref(), Some("star"));
        assert_eq!(resolve("a.b.ceudata.net", &[]), None);
        assert_eq!(resolve("arn:x", &[]).as_deref(), Some("arn:x"));
        let error = must_resolve("other.org", &known[1..2], &[]).unwrap_err();
        assert_eq!(error.notes(), ["there is one for api.ceudata.net"]);
    }
}
