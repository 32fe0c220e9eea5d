//! The sink that puts records into a Kinesis stream.

mod lanes;
mod sender;
mod verdict;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;

use crate::say::{Stop, causes};

pub(crate) use sender::Sender;

/// A client's configuration by what every AWS tool looks at, with credentials that are there
pub(crate) async fn configuration() -> Result<SdkConfig, Stop> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(15))
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        // What is sent again is decided here, record by record
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .load()
        .await;
    if config.region().is_none() {
        return Err(Stop::Failed(
            "there is no AWS region; set AWS_REGION".into(),
        ));
    }
    let Some(provider) = config.credentials_provider() else {
        return Err(Stop::Failed("there are no AWS credentials".into()));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(config),
        Err(error) => Err(Stop::Failed(format!(
            "there are no AWS credentials ({}); give the machine or task a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            causes(&error)
        ))),
    }
}
