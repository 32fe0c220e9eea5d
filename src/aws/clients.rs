//! The SDK's clients, made once, all with the same retries, limits, timeouts and record.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use tokio::sync::OnceCell;

use super::gate::{Gate, Gated};
use super::record::{Ledger, Record, Recorder};
use super::{own_ip, refused};
use crate::base::{Error, Result, Secret};

/// Requests in flight per service, unless asked otherwise.
const IN_FLIGHT: usize = 20;

/// How to reach AWS.
#[derive(Clone, Debug, Default)]
pub struct ConnectOptions {
    /// AWS region; without it, what the environment and the profile say.
    pub region: Option<String>,
    /// Profile in `~/.aws/config`.
    pub profile: Option<String>,
    /// One endpoint for all services (the sandbox), such as `http://127.0.0.1:4566`.
    pub endpoint: Option<String>,
    /// Fixed credentials (the sandbox); without them, the SDK's usual chain.
    pub credentials: Option<Credentials>,
    /// Where to ask for this machine's own address; without it, Amazon's service.
    pub checkip_url: Option<String>,
    /// Requests in flight per service; without it, 20.
    pub in_flight: Option<usize>,
}

/// An access key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: Secret,
}

/// Who the credentials belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Account number, 12 digits.
    pub account: String,
    /// ARN of the user or role.
    pub arn: String,
}

/// Made when first used: a client is many small parts of a large program, and most runs need few.
pub type Lazy<T> = Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send>>>;

/// One client per service in use; cheap to clone.
#[derive(Clone)]
pub struct Clients {
    /// ACM.
    pub acm: Lazy<aws_sdk_acm::Client>,
    /// Application Auto Scaling.
    pub scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    /// EC2 Auto Scaling.
    pub autoscaling: Lazy<aws_sdk_autoscaling::Client>,
    /// `CloudWatch`.
    pub cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    /// `DynamoDB`.
    pub dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    /// EC2.
    pub ec2: Lazy<aws_sdk_ec2::Client>,
    /// ECR.
    pub ecr: Lazy<aws_sdk_ecr::Client>,
    /// ECS.
    pub ecs: Lazy<aws_sdk_ecs::Client>,
    /// Elastic Load Balancing, version 2.
    pub elb: Lazy<aws_sdk_elasticloadbalancingv2::Client>,
    /// IAM.
    pub iam: Lazy<aws_sdk_iam::Client>,
    /// Kinesis Data Streams.
    pub kinesis: Lazy<aws_sdk_kinesis::Client>,
    /// KMS.
    pub kms: Lazy<aws_sdk_kms::Client>,
    /// `CloudWatch` Logs.
    pub logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    /// Route 53.
    pub route53: Lazy<aws_sdk_route53::Client>,
    /// `EventBridge` Scheduler.
    pub scheduler: Lazy<aws_sdk_scheduler::Client>,
    /// Secrets Manager.
    pub secrets: Lazy<aws_sdk_secretsmanager::Client>,
    /// S3.
    pub s3: Lazy<aws_sdk_s3::Client>,
    /// SNS.
    pub sns: Lazy<aws_sdk_sns::Client>,
    /// Systems Manager.
    pub ssm: Lazy<aws_sdk_ssm::Client>,
    /// STS.
    pub sts: Lazy<aws_sdk_sts::Client>,
    /// Resource Groups Tagging API.
    pub tagging: Lazy<aws_sdk_resourcegroupstagging::Client>,
    region: String,
    shared: Arc<Shared>,
}

struct Shared {
    ledger: Ledger,
    checkip_url: String,
    own_ip: OnceCell<IpAddr>,
    kept: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS clients for {}", self.region)
    }
}

impl Clients {
    /// The region that the clients talk to.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The calls made so far.
    #[must_use]
    pub fn record(&self) -> Record {
        self.shared.ledger.record()
    }

    /// The account and the caller, by STS.
    ///
    /// # Errors
    /// No or bad credentials, or AWS cannot be reached.
    pub async fn identity(&self) -> Result<Identity> {
        let answer = self.sts.get_caller_identity().send().await;
        let answer = answer.map_err(refused("sts:GetCallerIdentity"))?;
        Ok(Identity {
            account: answer.account.unwrap_or_default(),
            arn: answer.arn.unwrap_or_default(),
        })
    }

    /// The address under which AWS sees this machine; asked for once.
    ///
    /// # Errors
    /// When it cannot be found out.
    pub async fn own_ip(&self) -> Result<IpAddr> {
        let ask = || own_ip::ask(&self.shared.checkip_url);
        self.shared.own_ip.get_or_try_init(ask).await.copied()
    }

    /// Something that all calls of one kind share as long as the clients live, made when first
    /// asked for.
    #[must_use]
    pub fn shared<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let made = kept.entry(TypeId::of::<T>());
        let made = Arc::clone(made.or_insert_with(|| Arc::new(T::default())));
        made.downcast().unwrap_or_default()
    }
}

/// Makes the clients. Calls nothing yet, except what finds the region (instance metadata).
///
/// # Errors
/// When no region is given anywhere.
pub async fn connect(options: &ConnectOptions) -> Result<Clients> {
    let config = configuration(options).await;
    let Some(region) = config.region().map(ToString::to_string) else {
        return Err(Error::usage("no AWS region is given").hint(
            "write `region:` in the playbook, or set AWS_REGION, or a region in the AWS profile",
        ));
    };
    let ledger = Ledger::default();
    let http = http_client(options.endpoint.is_some());
    let gate = || Gate::new(options.in_flight.unwrap_or(IN_FLIGHT));
    let parts = |service| {
        let gate = gate();
        let recorder = Recorder {
            service,
            ledger: ledger.clone(),
            gate: gate.clone(),
        };
        let http = SharedHttpClient::new(Gated {
            inner: http.clone(),
            gate,
        });
        (recorder, http)
    };
    macro_rules! client {
        ($sdk:ident, $service:literal $(, $setting:ident($value:expr))?) => {{
            let (config, (recorder, http)) = (config.clone(), parts($service));
            let made = move || {
                let builder = $sdk::config::Builder::from(&config)$(.$setting($value))?;
                $sdk::Client::from_conf(builder.http_client(http).interceptor(recorder).build())
            };
            Arc::new(LazyLock::new(Box::new(made) as Box<_>))
        }};
    }
    // One endpoint for all services has no name for each bucket.
    let by_path = options.endpoint.is_some();
    Ok(Clients {
        acm: client!(aws_sdk_acm, "acm"),
        scaling: client!(aws_sdk_applicationautoscaling, "application-autoscaling"),
        autoscaling: client!(aws_sdk_autoscaling, "autoscaling"),
        cloudwatch: client!(aws_sdk_cloudwatch, "cloudwatch"),
        dynamodb: client!(aws_sdk_dynamodb, "dynamodb"),
        ec2: client!(aws_sdk_ec2, "ec2"),
        ecr: client!(aws_sdk_ecr, "ecr"),
        ecs: client!(aws_sdk_ecs, "ecs"),
        elb: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancing"),
        iam: client!(aws_sdk_iam, "iam"),
        kinesis: client!(aws_sdk_kinesis, "kinesis"),
        kms: client!(aws_sdk_kms, "kms"),
        logs: client!(aws_sdk_cloudwatchlogs, "logs"),
        route53: client!(aws_sdk_route53, "route53"),
        scheduler: client!(aws_sdk_scheduler, "scheduler"),
        secrets: client!(aws_sdk_secretsmanager, "secretsmanager"),
        s3: client!(aws_sdk_s3, "s3", force_path_style(by_path)),
        sns: client!(aws_sdk_sns, "sns"),
        ssm: client!(aws_sdk_ssm, "ssm"),
        sts: client!(aws_sdk_sts, "sts"),
        tagging: client!(aws_sdk_resourcegroupstagging, "tag"),
        region,
        shared: Arc::new(Shared {
            ledger,
            checkip_url: options
                .checkip_url
                .clone()
                .unwrap_or_else(|| own_ip::CHECKIP.to_owned()),
            own_ip: OnceCell::new(),
            kept: Mutex::default(),
        }),
    })
}

async fn configuration(options: &ConnectOptions) -> SdkConfig {
    // Standard, never adaptive: adaptive retry took 56 s over three throttles, standard 4 s.
    let mut retry = RetryConfig::standard().with_max_attempts(6);
    if options.endpoint.is_some() {
        // A local endpoint needs no second of rest.
        retry = retry.with_initial_backoff(Duration::from_millis(50));
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_mins(1))
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(retry)
        .timeout_config(timeouts);
    if let Some(region) = &options.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &options.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(credentials) = &options.credentials {
        loader = loader.credentials_provider(aws_credential_types::Credentials::new(
            &credentials.access_key_id,
            credentials.secret_access_key.expose(),
            None,
            None,
            "tidewalk",
        ));
    }
    loader.load().await
}

/// The SDK's own default client; `direct` leaves out the environment's proxy, for loopback.
fn http_client(direct: bool) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector =
            ConnectorBuilder::default().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.set_proxy_config(Some(if direct {
            ProxyConfig::disabled()
        } else {
            ProxyConfig::from_env()
        }));
        connector.build()
    })
}
