//! One AWS request, as far as the front must understand it.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method};
use url::form_urlencoded;

/// What is asked for, by whom.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Service, as the signature names it: `ec2`.
    pub(crate) service: String,
    /// Region, as the signature names it.
    pub(crate) region: String,
    /// Action (`RunInstances`), or method and path where the protocol has no action.
    pub(crate) action: String,
    /// Parameters, where they are sent as a form.
    pub(crate) params: Params,
    /// The caller's name for itself.
    pub(crate) user_agent: String,
}

/// The parameters of the query protocol, such as `InstanceId.1=i-1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(pub(crate) BTreeMap<String, String>);

impl Call {
    /// Reads the signature's scope, the headers and the form.
    pub(crate) fn read(method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (region, service) = header("authorization").and_then(scope).unwrap_or_default();
        let params = match header("content-type") {
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => {
                Params::read(body)
            }
            _ => Params::default(),
        };
        let action = params
            .value("Action")
            .map(str::to_owned)
            .or_else(|| {
                header("x-amz-target")?
                    .rsplit('.')
                    .next()
                    .map(str::to_owned)
            })
            .unwrap_or_else(|| format!("{method} {path}"));
        Self {
            service: service.to_owned(),
            region: region.to_owned(),
            action,
            params,
            user_agent: header("user-agent").unwrap_or_default().to_owned(),
        }
    }

    /// The AWS ids among the parameters.
    pub(crate) fn ids(&self) -> Vec<String> {
        let values = self.params.0.values();
        values.filter(|value| is_id(value)).cloned().collect()
    }
}

/// Region and service of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn scope(authorization: &str) -> Option<(&str, &str)> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let mut parts = credential.split(['/', ',']).skip(2);
    Some((parts.next()?, parts.next()?))
}

/// Whether a text looks like an id that EC2 gives: a short prefix and 8 or 17 hexadecimal digits.
pub(crate) fn is_id(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(prefix, digits)| {
        (1..=14).contains(&prefix.len())
            && prefix
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            && matches!(digits.len(), 8 | 17)
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

impl Params {
    fn read(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// As a form.
    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }

    /// One parameter.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.value(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Sets a parameter.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// The values of `NAME.1`, `NAME.2`, ….
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        (1..)
            .map_while(|index| self.0.get(&format!("{name}.{index}")).cloned())
            .collect()
    }

    /// The number of `NAME.N` under which `NAME.N.KEY` has that value.
    pub(crate) fn index_where(&self, name: &str, key: &str, value: &str) -> Option<usize> {
        (1..=self.count(name))
            .find(|index| self.value(&format!("{name}.{index}.{key}")) == Some(value))
    }

    /// How many `NAME.N…` there are.
    pub(crate) fn count(&self, name: &str) -> usize {
        let start = format!("{name}.");
        self.0
            .keys()
            .filter_map(|key| key.strip_prefix(&start)?.split('.').next()?.parse().ok())
            .max()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_names_region_and_service() {
        let header = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
        assert_eq!(scope(header), Some(("eu-west-1", "ec2")));
        assert_eq!(scope("Bearer x"), None);
    }

    #[test]
    fn ids_are_told_from_names() {
        assert!(is_id("i-0123456789abcdef0"));
        assert!(is_id("eipalloc-12345678"));
        assert!(!is_id("t3a-small"));
        assert!(!is_id("my-deadbee"));
    }

    #[test]
    fn lists_and_structures_are_read_by_number() {
        let params =
            Params::read(b"InstanceId.1=a&InstanceId.2=b&Filter.2.Name=x&Filter.10.Name=y");
        assert_eq!(params.list("InstanceId"), ["a", "b"]);
        assert_eq!(params.count("Filter"), 10);
        assert_eq!(params.index_where("Filter", "Name", "y"), Some(10));
        assert_eq!(params.index_where("Filter", "Name", "z"), None);
    }
}
