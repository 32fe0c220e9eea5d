//! Amazon resource names: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.

/// The partition of a region, the second part of the ARNs there.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// The parts of an ARN that tell what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'a> {
    /// Service, such as `kinesis`.
    pub service: &'a str,
    /// What it is and its name, such as `stream/trades`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads one; `None` when the text is no ARN.
    #[must_use]
    pub fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        let ("arn", _, service, _, _, resource) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        ) else {
            return None;
        };
        Some(Self { service, resource })
    }

    /// What follows `begin`, written as `SERVICE:RESOURCE`: the name, for `kinesis:stream/`.
    #[must_use]
    pub fn after(&self, begin: &str) -> Option<&'a str> {
        let (service, resource) = begin.split_once(':')?;
        let rest = self.resource.strip_prefix(resource)?;
        (self.service == service).then_some(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_follows() {
        let text = "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/api:x";
        let arn = Arn::read(text).unwrap();
        assert_eq!(arn.after("logs:log-group:"), Some("/ecs/api:x"));
        assert_eq!(arn.after("kinesis:stream/"), None);
        let arn = Arn::read("arn:aws:s3:::bucket").unwrap();
        assert_eq!(arn.after("s3:"), Some("bucket"));
        assert_eq!(Arn::read("stream/trades"), None);
    }

    #[test]
    fn regions_know_their_partition() {
        assert_eq!(partition("eu-west-1"), "aws");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
    }
}
