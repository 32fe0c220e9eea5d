//! What policies call an operation and the thing that it is done to.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>

use serde_json::Value;

use super::call::Call;
use super::signature::decode;
use crate::sandbox::place::ACCOUNT;

/// Operations of S3 whose permissions have other names:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.
const S3: &[(&str, &str)] = &[
    ("CompleteMultipartUpload", "PutObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("DeleteObjects", "DeleteObject"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    (
        "GetBucketLifecycleConfiguration",
        "GetLifecycleConfiguration",
    ),
    ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
    ("HeadBucket", "ListBucket"),
    ("HeadObject", "GetObject"),
    ("ListBuckets", "ListAllMyBuckets"),
    ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("ListObjectVersions", "ListBucketVersions"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("ListParts", "ListMultipartUploadParts"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    (
        "PutBucketLifecycleConfiguration",
        "PutLifecycleConfiguration",
    ),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("UploadPart", "PutObject"),
    ("UploadPartCopy", "PutObject"),
];

/// The action, such as `s3:GetObject`.
pub(super) fn action(call: &Call) -> String {
    let prefix = match call.service.as_str() {
        "monitoring" => "cloudwatch",
        "tagging" => "tag",
        other => other,
    };
    let mut name = call.action.as_str();
    if prefix == "s3" {
        let mut known = S3.iter();
        name = known.find(|it| it.0 == name).map_or(name, |it| it.1);
        if name == "GetObject" && call.path.contains("versionId=") {
            name = "GetObjectVersion";
        }
    }
    format!("{prefix}:{name}")
}

/// The ARN of the thing, where the call names one alone in a way that is known here.
pub(super) fn resource(call: &Call) -> Option<String> {
    let (service, region) = (call.service.as_str(), &call.region);
    // A list of one names one thing.
    let field = |name: &str| match call.json.get(name)? {
        Value::Array(list) if list.len() == 1 => list[0].as_str(),
        value => value.as_str(),
    };
    let named = |name: &str, kind: &str| {
        let name = field(name)?;
        if name.starts_with("arn:") {
            return Some(name.to_owned());
        }
        let name = name.trim_start_matches('/');
        Some(format!("arn:aws:{service}:{region}:{ACCOUNT}:{kind}{name}"))
    };
    match service {
        "s3" => bucket_or_object(call),
        "kinesis" => named("StreamARN", "").or_else(|| named("StreamName", "stream/")),
        "dynamodb" => named("TableName", "table/"),
        "ecr" => named("repositoryName", "repository/"),
        "secretsmanager" => field("SecretId")
            .filter(|id| id.starts_with("arn:"))
            .map(str::to_owned),
        "ssm" => ["Name", "Names", "Path"]
            .iter()
            .find_map(|field| named(field, "parameter/")),
        "sns" => call.params.value("TopicArn").map(str::to_owned),
        _ => None,
    }
}

fn bucket_or_object(call: &Call) -> Option<String> {
    let path = call.path.split('?').next().unwrap_or_default();
    let path = String::from_utf8(decode(path)).ok()?;
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    Some(match (bucket, key) {
        ("", _) => "*".to_owned(),
        (_, "") if call.action == "DeleteObjects" => format!("arn:aws:s3:::{bucket}/*"),
        (_, "") => format!("arn:aws:s3:::{bucket}"),
        _ => format!("arn:aws:s3:::{bucket}/{key}"),
    })
}
