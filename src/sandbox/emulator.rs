//! The emulator: moto, from Python's package index, in a virtual environment of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ipnet::Ipv4Net;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::amis;
use super::hosts::LABEL;
use super::lock::Lock;
use super::place::base_dir;
use crate::base::{Error, Result, ResultExt};

/// The emulator, and what reads its cron expressions.
const PACKAGES: [&str; 2] = ["moto[server]==5.2.5", "croniter==7.0.0"];
/// What serves it, and what puts right where it is not as AWS is: name and text of each file.
const FILES: &[(&str, &str)] = &[
    ("acm.py", include_str!("moto/acm.py")),
    ("agent.py", include_str!("moto/agent.py")),
    (
        "applicationautoscaling.py",
        include_str!("moto/applicationautoscaling.py"),
    ),
    ("autoscaling.py", include_str!("moto/autoscaling.py")),
    ("awake.py", include_str!("moto/awake.py")),
    ("balancers.py", include_str!("moto/balancers.py")),
    ("clock.py", include_str!("moto/clock.py")),
    ("cbor.py", include_str!("moto/cbor.py")),
    ("dynamodb.py", include_str!("moto/dynamodb.py")),
    ("ec2.py", include_str!("moto/ec2.py")),
    ("ecr.py", include_str!("moto/ecr.py")),
    ("ecs.py", include_str!("moto/ecs.py")),
    ("elbv2.py", include_str!("moto/elbv2.py")),
    ("fleets.py", include_str!("moto/fleets.py")),
    ("gone_tags.py", include_str!("moto/gone_tags.py")),
    ("iam.py", include_str!("moto/iam.py")),
    ("kinesis.py", include_str!("moto/kinesis.py")),
    ("kms.py", include_str!("moto/kms.py")),
    (
        "launch_templates.py",
        include_str!("moto/launch_templates.py"),
    ),
    ("logs.py", include_str!("moto/logs.py")),
    ("names.py", include_str!("moto/names.py")),
    ("patch.py", include_str!("moto/patch.py")),
    ("rollouts.py", include_str!("moto/rollouts.py")),
    ("route53.py", include_str!("moto/route53.py")),
    ("s3.py", include_str!("moto/s3.py")),
    ("scheduler.py", include_str!("moto/scheduler.py")),
    ("serve.py", include_str!("moto/serve.py")),
    ("tagging.py", include_str!("moto/tagging.py")),
    ("tasks.py", include_str!("moto/tasks.py")),
];
/// A cold start reads a thousand Python files; a busy machine takes its time.
const START: Duration = Duration::from_secs(90);

/// moto, running; it ends when this is dropped.
pub(super) struct Emulator {
    /// Where it answers.
    pub(super) endpoint: String,
    process: Child,
}

/// Where containers of ECS run.
pub(super) struct ContainerNetwork {
    /// The sandbox's id, which its containers carry as a label.
    pub(super) sandbox: String,
    /// The network's name in Docker.
    pub(super) name: String,
    /// Its addresses.
    pub(super) subnet: Ipv4Net,
    /// This machine's end of it.
    pub(super) device: String,
    /// The front, as this machine reaches it.
    pub(super) front: SocketAddr,
    /// The front, as containers reach it, if they do.
    pub(super) inside: Option<String>,
}

impl ContainerNetwork {
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("TIDEWALK_SANDBOX", self.sandbox.clone()),
            ("TIDEWALK_LABEL", LABEL.to_owned()),
            ("TIDEWALK_NETWORK", self.name.clone()),
            ("TIDEWALK_SUBNET", self.subnet.to_string()),
            ("TIDEWALK_DEVICE", self.device.clone()),
            ("TIDEWALK_FRONT", format!("http://{}", self.front)),
            ("TIDEWALK_INSIDE", self.inside.clone().unwrap_or_default()),
        ]
    }
}

fn venv() -> Result<PathBuf> {
    Ok(base_dir("XDG_DATA_HOME", ".local/share")?.join("tidewalk/venv"))
}

fn python(venv: &Path) -> PathBuf {
    venv.join("bin/python")
}

/// Written when everything is installed; its content is what was.
fn marker(venv: &Path) -> PathBuf {
    venv.join("tidewalk-installed")
}

fn is_installed(venv: &Path) -> bool {
    std::fs::read_to_string(marker(venv)).is_ok_and(|installed| installed == PACKAGES.join(" "))
}

/// Installs moto where it is missing.
///
/// # Errors
/// What Python or pip said.
pub(super) async fn install(say: &super::Say<'_>) -> Result<()> {
    let venv = venv()?;
    if is_installed(&venv) {
        return Ok(());
    }
    let _lock = Lock::take(&venv.with_extension("lock")).await?;
    if is_installed(&venv) {
        return Ok(());
    }
    say(&format!(
        "installing the AWS emulator ({}) into {}",
        PACKAGES[0],
        venv.display()
    ));
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv))
    .await
    .map_err(|error| error.hint("install Python 3 with its `venv` module"))?;
    run(Command::new(python(&venv))
        .args(["-m", "pip", "install", "--quiet"])
        .args(PACKAGES))
    .await?;
    std::fs::write(marker(&venv), PACKAGES.join(" ")).context("marking the emulator as installed")
}

async fn run(command: &mut Command) -> Result<()> {
    let name = format!("{:?}", command.as_std());
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .context(format!("running {name}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = said.trim().lines().rev().take(5).collect();
    let error = Error::failed(format!("{name} ended with {}", output.status));
    Err(last.into_iter().rev().fold(error, Error::note))
}

impl Emulator {
    /// Starts moto, with every service loaded unless `lazy`; ECR's images are at `registry`, and
    /// containers of ECS run in a `network` if there is one. Its messages go to standard error.
    ///
    /// # Errors
    /// When it does not start within 90 seconds.
    pub(super) async fn start(
        dir: &Path,
        lazy: bool,
        registry: SocketAddr,
        network: Option<&ContainerNetwork>,
    ) -> Result<Self> {
        let images = dir.join("images.json");
        std::fs::write(&images, amis::listed().to_string())
            .context(format!("writing `{}`", images.display()))?;
        let code = dir.join("moto");
        std::fs::create_dir_all(&code).context(format!("creating `{}`", code.display()))?;
        for (name, text) in FILES {
            let path = code.join(name);
            std::fs::write(&path, text).context(format!("writing `{}`", path.display()))?;
        }
        let mut process = Command::new(python(&venv()?))
            .arg(code.join("serve.py"))
            .args(lazy.then_some("--lazy"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("TIDEWALK_REGISTRY", registry.to_string())
            .envs(network.map(ContainerNetwork::variables).unwrap_or_default())
            .env("MOTO_AMIS_PATH", &images)
            .env("MOTO_ENABLE_AMI_VALIDATION", "true")
            .env("MOTO_ENABLE_KEYPAIR_VALIDATION", "true")
            .env("MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION", "true")
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .context("starting the AWS emulator")?;
        let port = async {
            let output = process.stdout.take()?;
            BufReader::new(output).lines().next_line().await.ok()?
        };
        let port = tokio::time::timeout(START, port).await.ok().flatten();
        let port: u16 = port
            .and_then(|line| line.trim().parse().ok())
            .ok_or_else(|| Error::failed("the AWS emulator did not start"))?;
        Ok(Self {
            endpoint: format!("http://127.0.0.1:{port}"),
            process,
        })
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    /// Ends it and waits until it has ended.
    pub(super) async fn stop(mut self) {
        // It holds nothing but memory; one that has ended already is fine.
        let _ = self.process.kill().await;
    }
}
