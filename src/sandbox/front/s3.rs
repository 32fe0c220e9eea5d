//! The names of S3's operations: method, bucket or object, and the sub-resource in the query.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

use axum::http::request::Parts;

/// Sub-resources of a bucket that are read, written and deleted, with the noun of the operations.
const OF_BUCKETS: &[(&str, &str)] = &[
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "BucketAcl"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("policyStatus", "BucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Those of an object.
const OF_OBJECTS: &[(&str, &str)] = &[
    ("acl", "ObjectAcl"),
    ("attributes", "ObjectAttributes"),
    ("legal-hold", "ObjectLegalHold"),
    ("retention", "ObjectRetention"),
    ("tagging", "ObjectTagging"),
];

/// Operations of their own: method, what the query holds (nothing when empty), name.
const BUCKETS: &[(&str, &str, &str)] = &[
    ("GET", "list-type", "ListObjectsV2"),
    ("GET", "versions", "ListObjectVersions"),
    ("GET", "uploads", "ListMultipartUploads"),
    ("POST", "delete", "DeleteObjects"),
    ("DELETE", "lifecycle", "DeleteBucketLifecycle"),
    ("GET", "", "ListObjects"),
    ("PUT", "", "CreateBucket"),
    ("DELETE", "", "DeleteBucket"),
    ("HEAD", "", "HeadBucket"),
];

const OBJECTS: &[(&str, &str, &str)] = &[
    ("PUT", "uploadId", "UploadPart"),
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("GET", "uploadId", "ListParts"),
    ("GET", "", "GetObject"),
    ("PUT", "", "PutObject"),
    ("DELETE", "", "DeleteObject"),
    ("HEAD", "", "HeadObject"),
];

/// The operation of a request whose path begins with the bucket.
pub(super) fn operation(parts: &Parts, path: &str) -> Option<String> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let keys: Vec<&str> = query
        .split('&')
        .filter_map(|pair| pair.split('=').next())
        .collect();
    let method = parts.method.as_str();
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path, ""));
    if bucket.trim_matches('/').is_empty() {
        return (method == "GET").then(|| "ListBuckets".to_owned());
    }
    if key.is_empty() {
        return named(method, &keys, BUCKETS, OF_BUCKETS);
    }
    if method == "PUT" && parts.headers.contains_key("x-amz-copy-source") {
        let part = keys.contains(&"uploadId");
        return Some(if part { "UploadPartCopy" } else { "CopyObject" }.to_owned());
    }
    named(method, &keys, OBJECTS, OF_OBJECTS)
}

fn named(
    method: &str,
    keys: &[&str],
    own: &[(&str, &str, &str)],
    sub: &[(&str, &str)],
) -> Option<String> {
    let own = |with: bool| {
        let mut fitting = own.iter().filter(|(is, query, _)| {
            *is == method
                && (if with {
                    keys.contains(query) && !query.is_empty()
                } else {
                    query.is_empty()
                })
        });
        fitting.next().map(|(_, _, name)| (*name).to_owned())
    };
    let verb = match method {
        "GET" => "Get",
        "PUT" => "Put",
        "DELETE" => "Delete",
        _ => "",
    };
    let sub = || {
        let mut fitting = sub.iter().filter(|(key, _)| keys.contains(key));
        let (_, noun) = fitting.next().filter(|_| !verb.is_empty())?;
        Some(format!("{verb}{noun}"))
    };
    own(true).or_else(sub).or_else(|| own(false))
}
