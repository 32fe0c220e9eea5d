//! One AWS request, as far as the front must understand it.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use serde_json::Value;
use url::form_urlencoded;

use super::operation;
use super::protocol::Protocol;

/// What is asked for, by whom.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Service, as the signature names it: `ec2`.
    pub(crate) service: String,
    /// Region, as the signature names it.
    pub(crate) region: String,
    /// The caller's access key id; empty when nobody signed.
    pub(crate) key: String,
    /// Action, as AWS names the operation: `RunInstances`.
    pub(crate) action: String,
    /// The protocol it is asked in.
    pub(crate) protocol: Protocol,
    /// Path, in which S3's bucket stands first however it was named, and query.
    pub(crate) path: String,
    /// Parameters, where they are sent as a form.
    pub(crate) params: Params,
    /// Parameters, where they are sent as JSON.
    pub(crate) json: Value,
    /// The caller's name for itself.
    pub(crate) user_agent: String,
}

/// The parameters of the query protocol, such as `InstanceId.1=i-1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(pub(crate) BTreeMap<String, String>);

impl Call {
    /// Reads the signature's scope, the headers, the path and the body.
    pub(crate) fn read(parts: &Parts, body: &[u8]) -> Self {
        let header = |name: &str| parts.headers.get(name)?.to_str().ok();
        let scope = header("authorization").and_then(scope);
        let [key, region, service] = scope
            .map(|it| it.map(str::to_owned))
            .or_else(|| presigned(parts))
            .unwrap_or_default();
        let protocol = Protocol::of(&service, &parts.headers);
        let params = match header("content-type") {
            Some(kind) if kind.starts_with("application/x-www-form-urlencoded") => {
                Params::read(body)
            }
            _ => Params::default(),
        };
        let json = match protocol {
            Protocol::Json | Protocol::RestJson => serde_json::from_slice(body).unwrap_or_default(),
            _ => Value::Null,
        };
        let path = match header("host").and_then(bucket_in_host) {
            Some(bucket) if protocol == Protocol::S3 => format!("/{bucket}{}", parts.uri),
            _ => parts
                .uri
                .path_and_query()
                .map_or("/", |it| it.as_str())
                .to_owned(),
        };
        let action = params
            .value("Action")
            .map(str::to_owned)
            .or_else(|| operation::name(parts, protocol, &path))
            .unwrap_or_else(|| format!("{} {}", parts.method, parts.uri.path()));
        Self {
            service,
            region,
            key,
            action,
            protocol,
            path,
            params,
            json,
            user_agent: header("user-agent").unwrap_or_default().to_owned(),
        }
    }

    /// Whether it is an object of S3, to be kept: nobody must see it whole.
    pub(super) fn brings_object(&self) -> bool {
        let actions = ["PutObject", "UploadPart"];
        self.protocol == Protocol::S3 && actions.contains(&self.action.as_str())
    }

    /// The AWS ids among the parameters, and the ARNs of JSON.
    pub(crate) fn ids(&self) -> Vec<String> {
        let values = self.params.0.values().map(String::as_str);
        let mut ids: Vec<&str> = values.filter(|value| is_id(value)).collect();
        let is_named = |text: &&str| is_id(text) || text.starts_with("arn:aws");
        ids.extend(self.json_texts().into_iter().filter(is_named));
        ids.into_iter().map(str::to_owned).collect()
    }

    /// What the parameters name at their top: texts, and texts in lists.
    pub(crate) fn json_texts(&self) -> Vec<&str> {
        let fields = self.json.as_object().into_iter().flat_map(|it| it.values());
        let mut texts = Vec::new();
        for field in fields {
            texts.extend(field.as_str());
            texts.extend(
                field
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str),
            );
        }
        texts
    }
}

/// `BUCKET` of `BUCKET.s3.amazonaws.com`, `BUCKET.s3.REGION.amazonaws.com` or `BUCKET.localhost`.
fn bucket_in_host(host: &str) -> Option<&str> {
    let name = host.split(':').next()?;
    let end = name.find(".s3.").or_else(|| name.find(".localhost"))?;
    Some(&name[..end])
}

/// Key, region and service of `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn scope(authorization: &str) -> Option<[&str; 3]> {
    let (_, credential) = authorization.split_once("Credential=")?;
    let mut parts = credential.split(['/', ',']);
    let key = parts.next()?;
    let mut parts = parts.skip(1);
    Some([key, parts.next()?, parts.next()?])
}

/// The same of a request that is signed in its query.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
fn presigned(parts: &Parts) -> Option<[String; 3]> {
    let mut pairs = form_urlencoded::parse(parts.uri.query()?.as_bytes());
    let (_, credential) = pairs.find(|(name, _)| name == "X-Amz-Credential")?;
    scope(&format!("Credential={credential}")).map(|it| it.map(str::to_owned))
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
        assert_eq!(scope(header), Some(["AK", "eu-west-1", "ec2"]));
        assert_eq!(scope("Bearer x"), None);
    }

    #[test]
    fn a_bucket_may_stand_in_the_host() {
        assert_eq!(
            bucket_in_host("a.b.s3.eu-west-1.amazonaws.com"),
            Some("a.b")
        );
        assert_eq!(bucket_in_host("a.localhost:80"), Some("a"));
        assert_eq!(bucket_in_host("127.0.0.1:80"), None);
        assert_eq!(bucket_in_host("localhost:80"), None);
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
