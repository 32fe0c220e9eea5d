//! The name of the operation that a request asks for, as AWS's API reference has it.

use axum::http::request::Parts;

use super::protocol::Protocol;
use super::s3;

/// Method, path and name; `*` stands for one part of the path, `**` for the rest.
type Operation = (&'static str, &'static str, &'static str);

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html>
const ROUTE53: &[Operation] = &[
    ("POST", "hostedzone", "CreateHostedZone"),
    ("GET", "hostedzone", "ListHostedZones"),
    ("GET", "hostedzonesbyname", "ListHostedZonesByName"),
    ("GET", "hostedzonesbyvpc", "ListHostedZonesByVPC"),
    ("GET", "hostedzonecount", "GetHostedZoneCount"),
    ("GET", "hostedzone/*", "GetHostedZone"),
    ("DELETE", "hostedzone/*", "DeleteHostedZone"),
    ("POST", "hostedzone/*", "UpdateHostedZoneComment"),
    ("POST", "hostedzone/*/rrset", "ChangeResourceRecordSets"),
    ("GET", "hostedzone/*/rrset", "ListResourceRecordSets"),
    (
        "POST",
        "hostedzone/*/associatevpc",
        "AssociateVPCWithHostedZone",
    ),
    (
        "POST",
        "hostedzone/*/disassociatevpc",
        "DisassociateVPCFromHostedZone",
    ),
    ("GET", "change/*", "GetChange"),
    ("GET", "tags/*/*", "ListTagsForResource"),
    ("POST", "tags/*/*", "ChangeTagsForResource"),
    ("POST", "tags/*", "ListTagsForResources"),
    ("GET", "healthcheck", "ListHealthChecks"),
    ("POST", "healthcheck", "CreateHealthCheck"),
    ("GET", "healthcheck/*", "GetHealthCheck"),
    ("POST", "healthcheck/*", "UpdateHealthCheck"),
    ("DELETE", "healthcheck/*", "DeleteHealthCheck"),
    ("GET", "testdnsanswer", "TestDNSAnswer"),
];

/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html>
const SCHEDULER: &[Operation] = &[
    ("GET", "schedules", "ListSchedules"),
    ("POST", "schedules/*", "CreateSchedule"),
    ("GET", "schedules/*", "GetSchedule"),
    ("PUT", "schedules/*", "UpdateSchedule"),
    ("DELETE", "schedules/*", "DeleteSchedule"),
    ("GET", "schedule-groups", "ListScheduleGroups"),
    ("POST", "schedule-groups/*", "CreateScheduleGroup"),
    ("GET", "schedule-groups/*", "GetScheduleGroup"),
    ("DELETE", "schedule-groups/*", "DeleteScheduleGroup"),
    ("GET", "tags/**", "ListTagsForResource"),
    ("POST", "tags/**", "TagResource"),
    ("DELETE", "tags/**", "UntagResource"),
];

/// The name, where header or path tell it. `path` is the request's with S3's bucket in it.
pub(super) fn name(parts: &Parts, protocol: Protocol, path: &str) -> Option<String> {
    let found = match protocol {
        Protocol::Json => {
            let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
            target.rsplit('.').next()
        }
        Protocol::Cbor => parts.uri.path().rsplit_once("/operation/").map(|it| it.1),
        Protocol::RestXml => find(ROUTE53, parts, "/2013-04-01/"),
        Protocol::RestJson => find(SCHEDULER, parts, "/"),
        Protocol::S3 => return s3::operation(parts, path),
        Protocol::Ec2 | Protocol::Query => None,
    };
    found.map(str::to_owned)
}

fn find(table: &[Operation], parts: &Parts, root: &str) -> Option<&'static str> {
    let path = parts.uri.path().strip_prefix(root)?.trim_end_matches('/');
    let mut fitting = table
        .iter()
        .filter(|(method, pattern, _)| parts.method == *method && fits(pattern, path));
    fitting.next().map(|(_, _, name)| *name)
}

fn fits(pattern: &str, path: &str) -> bool {
    if let Some(start) = pattern.strip_suffix("**") {
        return path.len() > start.len() && path.starts_with(start);
    }
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some("*"), Some(part)) if !part.is_empty() => {}
            (Some(wanted), Some(given)) if wanted == given => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn named(protocol: Protocol, request: &str) -> Option<String> {
        let (method, path) = request.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .body(())
            .unwrap();
        name(&request.into_parts().0, protocol, path)
    }

    #[test]
    fn operations_are_named_by_method_and_path() {
        for (protocol, request, wanted) in [
            (
                Protocol::RestXml,
                "POST /2013-04-01/hostedzone/Z1/rrset/",
                "ChangeResourceRecordSets",
            ),
            (
                Protocol::RestXml,
                "POST /2013-04-01/tags/hostedzone",
                "ListTagsForResources",
            ),
            (Protocol::RestXml, "GET /2013-04-01/change/C1", "GetChange"),
            (
                Protocol::RestJson,
                "POST /schedule-groups/g",
                "CreateScheduleGroup",
            ),
            (
                Protocol::RestJson,
                "GET /tags/arn:aws:scheduler:r:1:schedule-group/g",
                "ListTagsForResource",
            ),
            (
                Protocol::Cbor,
                "POST /service/Granite/operation/PutMetricAlarm",
                "PutMetricAlarm",
            ),
            (Protocol::S3, "GET /", "ListBuckets"),
            (Protocol::S3, "PUT /b", "CreateBucket"),
            (
                Protocol::S3,
                "PUT /b/?publicAccessBlock",
                "PutPublicAccessBlock",
            ),
            (Protocol::S3, "GET /b?list-type=2&prefix=x", "ListObjectsV2"),
            (Protocol::S3, "GET /b?versions", "ListObjectVersions"),
            (Protocol::S3, "POST /b?delete", "DeleteObjects"),
            (Protocol::S3, "DELETE /b?lifecycle", "DeleteBucketLifecycle"),
            (
                Protocol::S3,
                "PUT /b?lifecycle",
                "PutBucketLifecycleConfiguration",
            ),
            (Protocol::S3, "HEAD /b/a/c", "HeadObject"),
            (Protocol::S3, "GET /b/k?tagging", "GetObjectTagging"),
            (
                Protocol::S3,
                "PUT /b/k?partNumber=1&uploadId=u",
                "UploadPart",
            ),
            (Protocol::S3, "POST /b/k?uploads", "CreateMultipartUpload"),
        ] {
            assert_eq!(
                named(protocol, request).as_deref(),
                Some(wanted),
                "{request}"
            );
        }
        assert_eq!(named(Protocol::RestJson, "PATCH /schedules/x"), None);
    }
}
