//! Counts the calls that are made, per service and action.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use super::gate::Gate;

/// How often one action was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Calls made.
    pub calls: u64,
    /// Requests sent: more than calls where the SDK tried again.
    pub attempts: u64,
    /// Requests that AWS throttled.
    pub throttled: u64,
}

/// The calls made so far, by action as IAM writes it (`ec2:RunInstances`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(pub BTreeMap<String, Count>);

impl Record {
    /// All calls together.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.values().map(|count| count.calls).sum()
    }
}

/// Where every client notes its calls; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Record>>);

impl Ledger {
    pub(super) fn record(&self) -> Record {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, action: String, note: impl FnOnce(&mut Count)) {
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        note(record.0.entry(action).or_default());
    }
}

/// Notes one service's calls, and tells its gate how AWS answers.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) service: &'static str,
    pub(super) ledger: Ledger,
    pub(super) gate: Gate,
}

impl Recorder {
    fn action(&self, bag: &ConfigBag) -> String {
        let name = bag.load::<Metadata>().map_or("?", Metadata::name);
        let name = match self.service {
            "s3" => s3_action(name),
            _ => name,
        };
        format!("{}:{name}", self.service)
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "record of calls"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.ledger.note(self.action(bag), |count| count.calls += 1);
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.ledger
            .note(self.action(bag), |count| count.attempts += 1);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response() else {
            return Ok(());
        };
        let body = response.body().bytes().unwrap_or_default();
        if is_throttle(response.status().as_u16(), body) {
            self.gate.throttled();
            self.ledger
                .note(self.action(bag), |count| count.throttled += 1);
        } else {
            self.gate.answered();
        }
        Ok(())
    }
}

/// The IAM action that an operation of S3 takes, where it has another name:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.
fn s3_action(operation: &str) -> &str {
    match operation {
        "ListBuckets" => "ListAllMyBuckets",
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "HeadObject" => "GetObject",
        "DeleteObjects" => "DeleteObject",
        "GetBucketEncryption" => "GetEncryptionConfiguration",
        "PutBucketEncryption" | "DeleteBucketEncryption" => "PutEncryptionConfiguration",
        "GetPublicAccessBlock" => "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => "PutBucketPublicAccessBlock",
        "DeleteBucketOwnershipControls" => "PutBucketOwnershipControls",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => "PutLifecycleConfiguration",
        "DeleteBucketTagging" => "PutBucketTagging",
        same => same,
    }
}

/// EC2 throttles with 503 `RequestLimitExceeded`, the query services with 400 `Throttling`, the
/// JSON ones with 400 `ThrottlingException` or 429.
fn is_throttle(status: u16, body: &[u8]) -> bool {
    const CODES: [&str; 5] = [
        "RequestLimitExceeded",
        "Throttling",
        "TooManyRequests",
        "SlowDown",
        "Throttled",
    ];
    match status {
        429 => true,
        400 | 403 | 503 => {
            let body = String::from_utf8_lossy(body);
            CODES.iter().any(|code| body.contains(code))
        }
        _ => false,
    }
}
