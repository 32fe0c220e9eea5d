//! The program and a sandbox of its own, as a test sees them.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ec2::types::{Filter, InstanceStateName};
use serde_json::Value;
use tempfile::TempDir;
use tidewalk::sandbox::{self, Control, Fault};

use crate::patience::{self, Watch};

/// A sandbox that ends with the test, a folder for a playbook, and the program.
pub(crate) struct Beach {
    folder: TempDir,
    endpoint: String,
    _watch: Watch,
}

/// How the program ended and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Beach {
    /// A sandbox whose instances have no hosts behind them.
    pub(crate) fn without_hosts() -> Self {
        Self::up(&["--no-hosts"])
    }

    /// A sandbox whose instances are real hosts.
    pub(crate) fn with_hosts() -> Self {
        Self::up(&[])
    }

    fn up(flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut beach = Self {
            folder,
            endpoint: String::new(),
            _watch: Watch::begin(),
        };
        let mut args = vec!["sandbox", "up", "--lazy"];
        args.extend(flags);
        let up = beach.run(&args);
        assert_eq!(up.code, Some(0), "{}{}", up.stdout, up.stderr);
        let status = beach.run(&["sandbox", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let endpoint = &status["sandbox"]["running"]["endpoint"];
        endpoint.as_str().unwrap().clone_into(&mut beach.endpoint);
        beach
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The Docker network of its hosts.
    pub(crate) fn network(&self) -> String {
        let status = self.run(&["sandbox", "status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let name = &status["sandbox"]["running"]["network"]["name"];
        name.as_str().unwrap().to_owned()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a playbook.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program in the folder, with nothing of this machine's environment that matters.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, &[])
    }

    /// The same with more environment variables.
    pub(crate) fn run_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ended {
        let Output {
            status,
            stdout,
            stderr,
        } = patience::output(self.command(args).envs(env.iter().copied()));
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Starts the program and does not wait for it.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidewalk"));
        command.args(args).current_dir(self.folder());
        command.env("TIDEWALK_SANDBOX_DIR", self.folder().join("sandbox"));
        command.env_remove("AWS_PROFILE").env("NO_COLOR", "1");
        command
    }

    /// What the journal of a stack says so far.
    pub(crate) fn journal(&self, stack: &str) -> String {
        let path = self
            .folder()
            .join(format!(".tidewalk/journal/{stack}.jsonl"));
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Waits until something is so, for a minute at most.
    pub(crate) fn wait_for(&self, so: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_mins(1);
        while !so() {
            assert!(
                Instant::now() < deadline,
                "it did not come about in {}",
                self.folder().display()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs the program and wants this exit code.
    pub(crate) fn expect(&self, code: i32, args: &[&str]) -> Ended {
        let ended = self.run(args);
        let Ended { stdout, stderr, .. } = &ended;
        // What went wrong is said last: where a log is cut, its end is kept.
        assert!(
            ended.code == Some(code),
            "{args:?} ended with {:?} instead of {code}\n{stdout}\n{stderr}",
            ended.code
        );
        ended
    }

    /// Runs what asks the front or the emulator behind it.
    fn ask<T>(question: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(question)
    }

    /// The calls that the front has seen since it was last cleared, as `service:Action`.
    pub(crate) fn calls(&self) -> Vec<String> {
        let record = Self::ask(async { self.control().record().await.unwrap() });
        record
            .into_iter()
            .map(|call| format!("{}:{}", call.service, call.action))
            .collect()
    }

    /// Forgets the calls so far.
    pub(crate) fn forget_calls(&self) {
        Self::ask(async { self.control().clear_record().await.unwrap() });
    }

    /// From now on some calls go wrong.
    pub(crate) fn fault(&self, fault: Fault) {
        Self::ask(async { self.control().add_faults(&[fault]).await.unwrap() });
    }

    /// From now on nothing goes wrong.
    pub(crate) fn no_faults(&self) {
        Self::ask(async { self.control().clear_faults().await.unwrap() });
    }

    fn control(&self) -> Control {
        Control::new(&self.endpoint).unwrap()
    }

    /// A client that looks at the emulator, or changes it by hand, from outside the program.
    pub(crate) fn ec2(&self) -> aws_sdk_ec2::Client {
        self.ec2_in("eu-west-1")
    }

    fn ec2_in(&self, region: &'static str) -> aws_sdk_ec2::Client {
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .endpoint_url(&self.endpoint)
            .credentials_provider(credentials())
            .build();
        aws_sdk_ec2::Client::from_conf(config)
    }

    /// Opens a port to everybody, as somebody might in the console.
    pub(crate) fn open_port(&self, group: &str, port: i32) {
        Self::ask(async {
            let ec2 = self.ec2();
            let named = Filter::builder().name("group-name").values(group).build();
            let groups = ec2
                .describe_security_groups()
                .filters(named)
                .send()
                .await
                .unwrap();
            let id = groups.security_groups()[0].group_id().unwrap();
            let call = ec2
                .authorize_security_group_ingress()
                .group_id(id)
                .ip_protocol("tcp");
            let call = call.from_port(port).to_port(port).cidr_ip("0.0.0.0/0");
            call.send().await.unwrap();
        });
    }

    /// Does something by hand, as somebody might in the console.
    pub(crate) fn by_hand<T>(&self, hand: impl AsyncFnOnce(aws_sdk_ec2::Client) -> T) -> T {
        Self::ask(hand(self.ec2()))
    }

    /// What is in a region, whoever owns it: living instances, security groups beside the default
    /// one, elastic IPs, key pairs.
    pub(crate) fn census(&self, region: &'static str) -> [usize; 4] {
        Self::ask(async {
            let ec2 = self.ec2_in(region);
            let instances = ec2.describe_instances().send().await.unwrap();
            let instances = instances
                .reservations()
                .iter()
                .flat_map(aws_sdk_ec2::types::Reservation::instances);
            let states = instances.filter_map(|it| it.state()?.name());
            let groups = ec2.describe_security_groups().send().await.unwrap();
            let groups = groups.security_groups().iter();
            let addresses = ec2.describe_addresses().send().await.unwrap();
            let keys = ec2.describe_key_pairs().send().await.unwrap();
            [
                states.filter(|state| !DEAD.contains(state)).count(),
                groups
                    .filter(|it| it.group_name() != Some("default"))
                    .count(),
                addresses.addresses().len(),
                keys.key_pairs().len(),
            ]
        })
    }

    /// Every instance of the emulator that is not dead, whoever owns it.
    pub(crate) fn living(&self) -> usize {
        Self::ask(async {
            let ec2 = self.ec2();
            let mut pages = ec2.describe_instances().into_paginator().items().send();
            let mut living = 0;
            while let Some(reservation) = pages.next().await {
                let instances = reservation.unwrap().instances.unwrap_or_default();
                let states = instances.iter().filter_map(|it| it.state()?.name());
                living += states.filter(|state| !DEAD.contains(state)).count();
            }
            living
        })
    }
}

/// The sandbox's own keys, for the SDK's clients.
pub(crate) fn credentials() -> Credentials {
    let (id, secret) = (sandbox::ACCESS_KEY_ID, sandbox::SECRET_ACCESS_KEY);
    Credentials::new(id, secret, None, None, "test")
}

/// States of an instance that is gone or going.
const DEAD: [&InstanceStateName; 2] = [
    &InstanceStateName::Terminated,
    &InstanceStateName::ShuttingDown,
];

impl Drop for Beach {
    fn drop(&mut self) {
        self.run(&["sandbox", "down"]);
    }
}
