//! The front, over real HTTP: every rule, every fault, real hosts, `sandbox up` and `down`.

mod faults;
mod fleet_hosts;
mod hosts;
mod lifecycle;
mod listing;
mod refusals;
mod roles;
mod rules;
mod services;
mod tagging;

use std::path::{Path, PathBuf};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};

use aws_sdk_ec2::Client;
use aws_sdk_ec2::config::{BehaviorVersion, Region};
use aws_sdk_ec2::error::ProvideErrorMetadata;
use aws_sdk_ec2::types::{Filter, Instance, InstanceStateName, InstanceType};
use tidewalk::aws::{self, Clients, ConnectOptions};
use tidewalk::base::Secret;
use tidewalk::sandbox::{self, Control, Options};

/// A folder for a sandbox: the same in each run, so that what a killed run left is cleared away.
fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("sandboxes")
        .join(name)
}

/// The endpoint of a sandbox without hosts that these tests share. Tests stay apart by using a
/// region each.
fn shared() -> &'static str {
    static ENDPOINT: OnceLock<String> = OnceLock::new();
    ENDPOINT.get_or_init(|| served("shared"))
}

/// The endpoint of a new sandbox without hosts; it ends with the process.
pub(crate) fn served(name: &'static str) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            sandbox::prepare(false, &|_| {}).await.unwrap();
            let (hosts, lazy) = (false, true);
            let options = Options { hosts, lazy };
            let serving = sandbox::start(&folder(name), options).await.unwrap();
            tell.send(serving.running.endpoint.clone()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().expect("the sandbox starts")
}

/// A client of the sandbox at `endpoint`, as the SDK's users have it.
fn client(endpoint: &str, region: &'static str) -> Client {
    let config = aws_sdk_ec2::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .endpoint_url(endpoint)
        .credentials_provider(crate::harness::credentials())
        .build();
    Client::from_conf(config)
}

/// Clients of all services, as the program makes them.
async fn clients(region: &str) -> Clients {
    clients_at(shared(), region).await
}

/// The same of another sandbox.
pub(crate) async fn clients_at(endpoint: &str, region: &str) -> Clients {
    let options = ConnectOptions {
        region: Some(region.to_owned()),
        endpoint: Some(endpoint.to_owned()),
        credentials: Some(aws::Credentials {
            access_key_id: sandbox::ACCESS_KEY_ID.to_owned(),
            secret_access_key: Secret::from(sandbox::SECRET_ACCESS_KEY.to_owned()),
        }),
        ..ConnectOptions::default()
    };
    aws::connect(&options).await.unwrap()
}

fn control() -> Control {
    Control::new(shared()).unwrap()
}

/// The error code of a call that must fail.
fn code<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, E>,
) -> String {
    let error = answer.expect_err("the call is refused");
    error.code().unwrap_or_default().to_owned()
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// The newest image whose name matches.
async fn image(ec2: &Client, name: &str) -> String {
    let images = ec2
        .describe_images()
        .filters(filter("name", name))
        .send()
        .await
        .unwrap();
    let newest = images
        .images()
        .iter()
        .max_by_key(|image| image.creation_date().unwrap());
    newest.expect("an image").image_id().unwrap().to_owned()
}

const JAMMY: &str = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*";

/// A key pair named `test`, once per region.
async fn key_pair(ec2: &Client) {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEtIlvBpzGWN1nh6I1c/QODahMVyaSDG6fEvpZfhYvRZ";
    let import = ec2
        .import_key_pair()
        .key_name("test")
        .public_key_material(aws_sdk_ec2::primitives::Blob::new(key))
        .send()
        .await;
    assert!(import.is_ok() || code(import) == "InvalidKeyPair.Duplicate");
}

/// A launch of one instance, to be completed and sent.
async fn launch(
    ec2: &Client,
) -> aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder {
    key_pair(ec2).await;
    ec2.run_instances()
        .image_id(image(ec2, JAMMY).await)
        .instance_type(InstanceType::T3Small)
        .key_name("test")
        .min_count(1)
        .max_count(1)
}

/// Launches one instance.
async fn launched(ec2: &Client) -> String {
    let answer = launch(ec2).await.send().await.unwrap();
    answer.instances()[0].instance_id().unwrap().to_owned()
}

async fn instance(ec2: &Client, id: &str) -> Instance {
    let answer = ec2
        .describe_instances()
        .instance_ids(id)
        .send()
        .await
        .unwrap();
    answer.reservations()[0].instances()[0].clone()
}

fn state(instance: &Instance) -> InstanceStateName {
    instance.state().unwrap().name().unwrap().clone()
}

/// Waits until the instance is in that state.
async fn reach(ec2: &Client, id: &str, wanted: InstanceStateName) -> Instance {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let instance = instance(ec2, id).await;
        if state(&instance) == wanted {
            return instance;
        }
        assert!(Instant::now() < deadline, "{id} is {:?}", state(&instance));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
