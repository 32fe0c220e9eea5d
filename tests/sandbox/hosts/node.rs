//! A throw-away host: a container with systemd and sshd, removed when dropped.

use std::net::TcpStream;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::patience::{self, Watch};

/// A container that does not answer after this never will.
const BOOT: Duration = Duration::from_mins(1);

pub(crate) struct Node {
    name: String,
    pub(crate) address: String,
    pub(crate) host_key: String,
    pub(crate) folder: TempDir,
    _watch: Watch,
}

/// The image that the sandbox's own hosts run; it is made if it is not there.
pub(crate) fn image() -> &'static str {
    static NAME: OnceLock<&str> = OnceLock::new();
    NAME.get_or_init(|| {
        let made = std::thread::spawn(|| {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(tidewalk::sandbox::prepare(true, &|_| {}))
        });
        made.join().expect("it ends").expect("the image of hosts");
        "tidewalk-node:debian-12"
    })
}

impl Node {
    /// Starts one; returns when sshd answers.
    pub(crate) fn start() -> Self {
        Self::of(image())
    }

    /// Starts one from another image; returns when sshd answers.
    pub(crate) fn of(image: &str) -> Self {
        let node = Self::boot(image, &[]);
        node.wait_for_ssh();
        node
    }

    /// Starts one with files of its own, as path and text, and does not wait for it.
    pub(crate) fn boot(image: &str, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().expect("a folder");
        let host_key = make_key(&folder.path().join("host"));
        let login_key = make_key(&folder.path().join("id"));
        let root = folder.path().join("root");
        place(
            &root,
            "etc/ssh",
            0o755,
            "ssh_host_ed25519_key.pub",
            0o644,
            &host_key,
        );
        let private = read(&folder.path().join("host"));
        place(
            &root,
            "etc/ssh",
            0o755,
            "ssh_host_ed25519_key",
            0o600,
            &private,
        );
        let login_line = format!("{login_key}\n");
        place(
            &root,
            "root/.ssh",
            0o700,
            "authorized_keys",
            0o600,
            &login_line,
        );
        place(&root, "etc/cloud", 0o755, "cloud-init.disabled", 0o644, "");
        for (path, text) in files {
            let (folder, name) = path.rsplit_once('/').expect("a path");
            place(&root, folder, 0o755, name, 0o644, text);
        }

        let suffix = folder.path().file_name().expect("a name").to_string_lossy();
        let name = format!("tidewalk-test-{}", suffix.trim_start_matches('.'));
        docker(&[
            "create",
            "--name",
            &name,
            "--cap-add",
            "ALL",
            "--cap-drop",
            "SYS_RESOURCE",
            "--security-opt",
            "seccomp=unconfined",
            "--cgroupns=private",
            "--tmpfs",
            "/run",
            "--tmpfs",
            "/run/lock",
            image,
        ]);
        let mut node = Self {
            name,
            address: String::new(),
            host_key,
            folder,
            _watch: Watch::begin(),
        };
        let from = format!("{}/.", root.display());
        docker(&["cp", &from, &format!("{}:/", node.name)]);
        node.power_on();
        node
    }

    fn power_on(&mut self) {
        docker(&["start", &self.name]);
        let format = "{{.NetworkSettings.IPAddress}}";
        let address = docker(&["inspect", "-f", format, &self.name]);
        address.trim().clone_into(&mut self.address);
    }

    fn wait_for_ssh(&self) {
        until(&format!("sshd of {} answers", self.name), || {
            TcpStream::connect((self.address.as_str(), 22)).is_ok()
        });
    }

    /// The container's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Starts it after its power was cut; its address may be another afterwards.
    pub(crate) fn start_again(&mut self) {
        self.power_on();
        self.wait_for_ssh();
    }

    /// Lets it reboot; its address may be another afterwards.
    pub(crate) fn reboot(&mut self) {
        patience::output(Command::new("docker").args(["exec", &self.name, "systemctl", "reboot"]));
        until("the host is down", || {
            docker(&["inspect", "-f", "{{.State.Running}}", &self.name]).trim() == "false"
        });
        self.start_again();
    }

    /// Waits until a file is there.
    pub(crate) async fn wait_for(&self, path: &str) {
        let start = Instant::now();
        while self
            .sh(&format!("ls {path} 2>/dev/null || true"))
            .is_empty()
        {
            assert!(start.elapsed() < BOOT, "{path} does not come");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Path of the private key that may log in as root.
    pub(crate) fn identity(&self) -> String {
        self.folder.path().join("id").display().to_string()
    }

    /// What a script prints there, run by hand so to say.
    pub(crate) fn sh(&self, script: &str) -> String {
        docker(&["exec", &self.name, "sh", "-c", script])
    }
}

fn until(what: &str, so: impl Fn() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < BOOT, "it never is so that {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        patience::output(Command::new("docker").args(["rm", "-f", &self.name]));
    }
}

/// Makes a key pair, and returns its public part without a comment.
pub(crate) fn make_key(path: &Path) -> String {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen");
    assert!(made.success());
    read(&path.with_extension("pub")).trim().to_owned()
}

fn place(root: &Path, folder: &str, folder_mode: u32, name: &str, mode: u32, text: &str) {
    let folder = root.join(folder);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(folder_mode)
        .create(&folder)
        .expect("a folder");
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("its mode");
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a text file")
}

pub(crate) fn docker(arguments: &[&str]) -> String {
    let done = patience::output(Command::new("docker").args(arguments));
    assert!(
        done.status.success(),
        "docker {arguments:?}: {}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8_lossy(&done.stdout).into_owned()
}
