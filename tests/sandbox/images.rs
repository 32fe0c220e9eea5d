//! Images: built by a real Docker Engine, pushed to a real registry, known to ECR, gone with the stack.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sdk_ecr::config::{BehaviorVersion, Region};
use serde_json::Value as Json;

use crate::harness::{Beach, credentials};
use crate::patience;
use crate::playbooks::changes;

const SHOP: &str = r#"
stack: shop
region: eu-west-1
repositories:
  shop: {}
images:
  web:
    context: web
    repository: shop
    args: { COLOUR: blue }
    target: page
outputs:
  image: "{{ images.web.uri }}"
"#;

const DOCKERFILE: &str = "FROM scratch AS page\nARG COLOUR\nLABEL colour=${COLOUR}\nCOPY . /\n\
                          FROM scratch\nCOPY missing /\n";

fn ecr(beach: &Beach) -> aws_sdk_ecr::Client {
    let config = aws_sdk_ecr::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .credentials_provider(credentials())
        .build();
    aws_sdk_ecr::Client::from_conf(config)
}

fn shop(beach: &Beach, folder: &str) {
    for (name, text) in [
        ("shop.yml", SHOP),
        ("web/Dockerfile", DOCKERFILE),
        ("web/.dockerignore", "notes\n"),
        ("web/notes", "not for the image\n"),
        ("web/base.bin", &"base ".repeat(10_000)),
        ("web/page.html", "<h1>one</h1>\n"),
    ] {
        beach.write(&format!("{folder}/{name}"), text);
    }
}

/// What the registry answers to somebody with a login: status and body.
fn pull(uri: &str, what: &str) -> (u16, Vec<u8>) {
    let (registry, path) = uri.split_once('/').unwrap();
    let url = format!("http://{registry}/v2/{path}/{what}");
    let said = patience::output(Command::new("curl").args([
        "-s",
        "-w",
        "%{http_code}",
        "-u",
        "AWS:123456789012-auth-token",
        "-H",
        "Accept: application/vnd.docker.distribution.manifest.v2+json",
        &url,
    ]));
    let mut body = said.stdout;
    let status = body.split_off(body.len() - 3);
    (String::from_utf8(status).unwrap().parse().unwrap(), body)
}

/// The repository's name in the registry, and the digest, of an image's `uri`.
fn pinned(stdout: &str) -> (String, String) {
    let line = stdout.lines().find(|line| line.contains("@sha256:"));
    let uri = line.and_then(|line| line.split_whitespace().find(|word| word.contains('@')));
    let (name, digest) = uri.unwrap().trim_matches('"').split_once('@').unwrap();
    (name.to_owned(), digest.to_owned())
}

fn manifest((name, digest): &(String, String)) -> Json {
    let (status, body) = pull(name, &format!("manifests/{digest}"));
    assert_eq!(status, 200);
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn an_image_is_built_pushed_and_pinned_and_again_only_when_what_it_is_made_of_changes() {
    let beach = Beach::without_hosts();
    shop(&beach, "here");
    let plan = ["plan", "here/shop.yml", "--sandbox"];
    let apply = ["apply", "here/shop.yml", "--sandbox", "--yes"];
    let said = beach.expect(3, &plan).stdout;
    assert!(said.contains("+ images.web"), "{said}");
    let first = pinned(&beach.expect(0, &apply).stdout);
    let layers = |image: &(String, String)| manifest(image)["layers"].clone();
    let config = manifest(&first)["config"]["digest"].clone();
    let (_, config) = pull(&first.0, &format!("blobs/{}", config.as_str().unwrap()));
    let config: Json = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["config"]["Labels"]["colour"], "blue");
    let (_, layer) = pull(
        &first.0,
        &format!("blobs/{}", layers(&first)[0]["digest"].as_str().unwrap()),
    );
    let mut names = Vec::new();
    let layer = flate2::read::GzDecoder::new(layer.as_slice());
    for entry in tar::Archive::new(layer).entries().unwrap() {
        names.push(entry.unwrap().path().unwrap().display().to_string());
    }
    names.sort();
    assert_eq!(
        names,
        [".dockerignore", "Dockerfile", "base.bin", "page.html"]
    );

    // Nothing of it stays on this machine, and nothing is asked but whether it is there.
    let listed = patience::output(Command::new("docker").args(["images", "-q", &first.0]));
    assert!(listed.stdout.is_empty());
    beach.forget_calls();
    beach.expect(0, &plan);
    let calls = beach.calls();
    let about_images = calls.iter().filter(|call| call.contains("Image"));
    assert_eq!(about_images.count(), 1, "{calls:?}");

    // Another machine with the same files, written at another time, has nothing to build.
    shop(&beach, "there");
    let there = beach.run_with(
        &["plan", "there/shop.yml", "--sandbox"],
        &[("DOCKER_HOST", "unix:///nowhere.sock")],
    );
    assert_eq!(there.code, Some(0), "{}{}", there.stdout, there.stderr);

    // What is changed is another image; without Docker, the plan says so.
    beach.write("here/web/page.html", "<h1>two</h1>\n");
    let without = beach.run_with(&plan, &[("DOCKER_HOST", "unix:///nowhere.sock")]);
    let said = without.stdout + &without.stderr;
    assert!(said.contains("no Docker Engine answers"), "{said}");
    let planned = beach.expect(3, &["plan", "here/shop.yml", "--sandbox", "--json"]);
    assert_eq!(
        changes(&planned.stdout),
        ["images.web: built from", "images.web: pushed to"]
    );

    // A large layer tells how far it is, and not with every message of the engine.
    let scrambled = |at: u32| at.wrapping_mul(2_654_435_761).to_le_bytes()[2];
    let large: Vec<u8> = (0..20_000_000).map(scrambled).collect();
    std::fs::write(beach.folder().join("here/web/large.bin"), large).unwrap();
    let applied = beach.expect(0, &apply);
    let told = applied.stderr.matches("pushing a layer, ").count();
    assert!((1..=11).contains(&told), "{told}: {}", applied.stderr);
    assert!(applied.stderr.contains(" of 21 MB"), "{}", applied.stderr);
    let second = pinned(&applied.stdout);
    assert_ne!(first.1, second.1);
    manifest(&first);

    beach.expect(0, &["destroy", "here/shop.yml", "--sandbox", "--yes"]);
    let (status, _) = pull(&second.0, &format!("manifests/{}", second.1));
    assert_eq!(status, 404);
}

#[test]
fn a_build_that_fails_says_at_which_step_and_what_was_printed() {
    let beach = Beach::without_hosts();
    shop(&beach, "here");
    let text = SHOP.replace("    target: page\n", "");
    beach.write("here/shop.yml", &text);
    let failed = beach.expect(1, &["apply", "here/shop.yml", "--sandbox", "--yes"]);
    let said = &failed.stderr;
    assert!(said.contains("building the image failed at"), "{said}");
    assert!(said.contains("COPY missing /"), "{said}");

    // What can be told without building is told before anything is done.
    for (from, to, why) in [
        ("context: web", "context: nowhere", "is not a folder"),
        ("context: web", "context: .", "there is no `Dockerfile`"),
        (
            "target: page",
            "platform: linux",
            "a platform is such as `linux/amd64`",
        ),
        (
            "blue",
            "'{{ vars.pw }}'",
            "could be read by whoever has the image",
        ),
    ] {
        let text = SHOP.replace(from, to) + "vars: { pw: { secret: true } }\n";
        beach.write("here/shop.yml", &text);
        let hush = [("TIDEWALK_VAR_pw", "hush")];
        let ended = beach.run_with(&["plan", "here/shop.yml", "--sandbox"], &hush);
        assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stderr.contains(why), "{}", ended.stderr);
    }
    beach.write("here/shop.yml", SHOP);
    beach.expect(0, &["destroy", "here/shop.yml", "--sandbox", "--yes"]);
}

#[test]
fn images_in_a_repository_that_stays_are_taken_away_and_no_others() {
    let beach = Beach::without_hosts();
    let ecr = ecr(&beach);
    beach.by_hand(async |_| {
        let create = ecr.create_repository().repository_name("shop");
        create.send().await.unwrap();
    });
    shop(&beach, "here");
    let text = SHOP.replace("repositories:\n  shop: {}\n", "");
    beach.write("here/shop.yml", &text);
    let image = pinned(
        &beach
            .expect(0, &["apply", "here/shop.yml", "--sandbox", "--yes"])
            .stdout,
    );
    let (_, body) = pull(&image.0, &format!("manifests/{}", image.1));
    beach.by_hand(async |_| {
        let put = ecr.put_image().repository_name("shop").image_tag("mine");
        let put = put.image_manifest(String::from_utf8_lossy(&body));
        put.send().await.unwrap();
    });
    let gone = beach.expect(0, &["destroy", "here/shop.yml", "--sandbox", "--yes"]);
    assert!(gone.stdout.contains("shop:web-"), "{}", gone.stdout);
    let left = beach.by_hand(async |_| {
        let list = ecr.list_images().repository_name("shop");
        list.send().await.unwrap().image_ids.unwrap_or_default()
    });
    let tags: Vec<_> = left.iter().filter_map(|id| id.image_tag()).collect();
    assert_eq!(tags, ["mine"]);
}

/// Podman's socket, with a storage of its own, until this is dropped.
struct Podman {
    service: Child,
    storage: PathBuf,
    socket: String,
}

impl Podman {
    /// `registry` answers without TLS.
    fn start(beach: &Beach, registry: &str) -> Self {
        let folder = beach.folder().join("podman");
        let at = |name: &str| folder.join(name).display().to_string();
        let (run, graph) = (at("run"), at("graph"));
        let text = format!("[storage]\ndriver = 'vfs'\nrunroot = '{run}'\ngraphroot = '{graph}'\n");
        let storage = beach.write("podman/storage.conf", &text);
        let text = format!("[[registry]]\nlocation = '{registry}'\ninsecure = true\n");
        let registries = beach.write("podman/registries.conf", &text);
        let socket = format!("unix://{}", at("podman.sock"));
        let service = Command::new("podman")
            .args(["system", "service", "--time", "0", &socket])
            .env("CONTAINERS_STORAGE_CONF", &storage)
            .env("CONTAINERS_REGISTRIES_CONF", registries)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !folder.join("podman.sock").exists() {
            assert!(begun.elapsed() < Duration::from_secs(30), "no Podman");
            std::thread::sleep(Duration::from_millis(50));
        }
        Self {
            service,
            storage,
            socket,
        }
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.service.kill();
        let _ = self.service.wait();
        let reset = ["system", "reset", "--force"];
        let mut podman = Command::new("podman");
        let podman = podman
            .args(reset)
            .env("CONTAINERS_STORAGE_CONF", &self.storage);
        let _ = podman.output();
    }
}

#[test]
fn podman_builds_and_pushes_too() {
    let beach = Beach::without_hosts();
    shop(&beach, "here");
    let first = pinned(
        &beach
            .expect(0, &["apply", "here/shop.yml", "--sandbox", "--yes"])
            .stdout,
    );
    let (registry, _) = first.0.split_once('/').unwrap();
    let podman = Podman::start(&beach, registry);
    let apply = |wanted: i32| {
        let args = ["apply", "here/shop.yml", "--sandbox", "--yes"];
        let done = beach.run_with(&args, &[("DOCKER_HOST", &podman.socket)]);
        assert_eq!(done.code, Some(wanted), "{}{}", done.stdout, done.stderr);
        done
    };
    beach.write("here/web/page.html", "<h1>by Podman</h1>\n");
    let done = apply(0);
    assert!(done.stderr.contains("STEP "), "{}", done.stderr);
    let second = pinned(&done.stdout);
    assert_ne!(second.1, first.1);
    assert_eq!(manifest(&second)["layers"].as_array().unwrap().len(), 1);
    beach.write(
        "here/web/Dockerfile",
        &DOCKERFILE.replace("COPY . /", "COPY nowhere /"),
    );
    let failed = apply(1);
    for text in ["building the image failed", "the build said: STEP "] {
        assert!(failed.stderr.contains(text), "{}", failed.stderr);
    }
    let text = SHOP.replace(
        "context: web",
        "context: web\n    secrets: { token: { env: HOME } }",
    );
    beach.write("here/shop.yml", &text);
    let refused = apply(1);
    assert!(
        refused.stderr.contains("take BuildKit"),
        "{}",
        refused.stderr
    );
}

const SEALED: &str = r#"
stack: sealed
region: eu-west-1
repositories: { shop: {} }
images:
  web: { context: web, repository: shop, secrets: { token: { env: BUILD_TOKEN } } }
outputs: { image: "{{ images.web.uri }}" }
"#;

/// Says how long the secret is, in a file of the image.
const PROGRAM: &str = r#"fn main() {
    let token = std::fs::read_to_string("/run/secrets/token").unwrap();
    std::fs::write("/seen", format!("{} characters", token.len())).unwrap();
}"#;

#[test]
fn a_build_reads_a_secret_that_is_in_no_layer() {
    let beach = Beach::without_hosts();
    beach.write("web.yml", SEALED);
    let run = "RUN --mount=type=secret,id=token,required=true [\"/look\"]";
    let dockerfile = format!("FROM scratch\nCOPY look /\n{run}\n");
    beach.write("web/Dockerfile", &dockerfile);
    beach.write("look.rs", PROGRAM);
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition",
        "2024",
        "-C",
        "target-feature=+crt-static",
        "-o",
    ]);
    rustc.arg(beach.folder().join("web/look"));
    let built = patience::output(rustc.arg(beach.folder().join("look.rs")));
    assert!(built.status.success(), "{built:?}");

    let apply = ["apply", "web.yml", "--sandbox", "--yes"];
    let without = beach.run(&apply);
    let missing = "the environment variable `BUILD_TOKEN` is not set";
    assert!(without.stderr.contains(missing), "{}", without.stderr);
    let token = "swordfish-5150";
    let applied = beach.run_with(&apply, &[("BUILD_TOKEN", token)]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    let said = applied.stdout.clone() + &applied.stderr;
    assert!(!said.contains(token), "{said}");

    let image = pinned(&applied.stdout);
    let config = manifest(&image)["config"]["digest"].clone();
    let (_, config) = pull(&image.0, &format!("blobs/{}", config.as_str().unwrap()));
    assert!(!String::from_utf8_lossy(&config).contains(token));
    let mut seen = false;
    for layer in manifest(&image)["layers"].as_array().unwrap() {
        let digest = layer["digest"].as_str().unwrap();
        let (_, layer) = pull(&image.0, &format!("blobs/{digest}"));
        let mut content = Vec::new();
        let mut layer = flate2::read::GzDecoder::new(layer.as_slice());
        std::io::Read::read_to_end(&mut layer, &mut content).unwrap();
        let has = |text: &str| content.windows(text.len()).any(|it| it == text.as_bytes());
        assert!(!has(token), "the secret is in a layer");
        seen |= has("14 characters");
    }
    assert!(seen, "the build had no secret");
    // Another secret is no other image.
    beach.expect(0, &["plan", "web.yml", "--sandbox"]);

    // A step that fails is told.
    beach.write(
        "web/Dockerfile",
        &dockerfile.replace("id=token", "id=other"),
    );
    let failed = beach.run_with(&apply, &[("BUILD_TOKEN", token)]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(
        failed.stderr.contains("building the image failed: "),
        "{}",
        failed.stderr
    );
    assert!(!failed.stderr.contains(token), "{}", failed.stderr);
}
