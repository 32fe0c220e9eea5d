//! Services that really run: containers behind a load balancer, replaced without a failed request, and
//! rolled back with the reason when they do not come up.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_ecs::types::TaskDefinitionStatus;

use crate::harness::{Beach, Ended};
use crate::patience;

const BTC_API: &str = include_str!("../../playbooks/btc-api.yml");
const SITE: &str = include_str!("deploy/site.yml");
const DOCKERFILE: &str = "FROM scratch\nCOPY server /\nCOPY version /\nCMD [\"/server\"]\n";

/// A sandbox with the playbook and the app's folder.
fn site() -> Beach {
    let beach = Beach::with_hosts();
    beach.write("site.yml", SITE);
    beach.write("app/Dockerfile", DOCKERFILE);
    beach.write("app/version", "one\n");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sandbox/deploy/app.rs");
    let mut rustc = Command::new("rustc");
    rustc.args([
        "--edition",
        "2024",
        "-O",
        "-C",
        "target-feature=+crt-static",
        "-o",
    ]);
    let built = patience::output(rustc.arg(beach.folder().join("app/server")).arg(source));
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    beach
}

fn apply(beach: &Beach, vars: &[&str]) -> Ended {
    let mut args = vec!["apply", "site.yml", "--sandbox", "--yes"];
    for var in vars {
        args.extend(["--var", var]);
    }
    beach.run(&args)
}

fn url(applied: &Ended) -> String {
    let line = applied.stdout.lines().find(|line| line.contains("http://"));
    let word = line.and_then(|line| line.split_whitespace().last());
    word.expect("an output with the address")
        .trim_matches('"')
        .to_owned()
}

/// What a page says, and its status; `None` when no answer comes.
async fn get(client: &reqwest::Client, url: &str) -> Option<(u16, String)> {
    let answer = client.get(url).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

fn page(beach: &Beach, url: &str) -> (u16, String) {
    let got = beach.by_hand(async |_| get(&reqwest::Client::new(), url).await);
    got.expect("an answer")
}

/// Asks 50 times a second, by connections that are kept, until it is told to stop: how often, and
/// what went wrong.
struct Visitor {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(usize, Vec<String>)>,
}

impl Visitor {
    fn begin(url: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, url) = (Arc::clone(&stop), url.to_owned());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.unwrap().block_on(async move {
                let client = reqwest::Client::new();
                let mut asked = tokio::task::JoinSet::new();
                let mut tick = tokio::time::interval(Duration::from_millis(20));
                let mut number = 0_usize;
                while !told.load(Ordering::Relaxed) {
                    tick.tick().await;
                    // Some of them are long.
                    let page = if number.is_multiple_of(10) {
                        "slow"
                    } else {
                        "report"
                    };
                    let (client, url) = (client.clone(), format!("{url}{page}"));
                    asked.spawn(async move { get(&client, &url).await });
                    number += 1;
                }
                let answers = asked.join_all().await;
                let good = |it: &&Option<(u16, String)>| !matches!(it, Some((200, _)));
                let bad = answers.iter().filter(good).map(|it| format!("{it:?}"));
                (answers.len(), bad.collect())
            })
        });
        Self { stop, thread }
    }

    fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Containers of the sandbox.
fn containers(beach: &Beach) -> String {
    let filter = format!("network={}", beach.network());
    let listed = patience::output(Command::new("docker").args(["ps", "-aq", "--filter", &filter]));
    String::from_utf8(listed.stdout).unwrap()
}

/// What ECS, ECR, the load balancers and the logs still have: INACTIVE revisions, too.
fn left(beach: &Beach) -> Vec<String> {
    beach.by_hand(async |_| {
        let aws = crate::front::clients_at(beach.endpoint(), "eu-west-1").await;
        let mut left = Vec::new();
        for status in [TaskDefinitionStatus::Active, TaskDefinitionStatus::Inactive] {
            let call = aws.ecs.list_task_definitions().status(status);
            left.extend(call.send().await.unwrap().task_definition_arns.unwrap());
        }
        let told = aws.ecr.describe_repositories().send().await.unwrap();
        let names = told.repositories().iter().map(|it| it.repository_name());
        left.extend(names.flatten().map(str::to_owned));
        let told = aws.elb.describe_target_groups().send().await.unwrap();
        let names = told.target_groups().iter().map(|it| it.target_group_name());
        left.extend(names.flatten().map(str::to_owned));
        let told = aws.logs.describe_log_groups().send().await.unwrap();
        let names = told.log_groups().iter().map(|it| it.log_group_name());
        left.extend(names.flatten().map(str::to_owned));
        left
    })
}

#[test]
fn the_bundled_api_is_deployed_and_replaced_without_a_failed_request() {
    let beach = site();
    beach.write("btc-api.yml", BTC_API);
    let run = |verb: &str, more: &[&str]| {
        let mut args = vec![verb];
        args.extend(more);
        args.extend(["--sandbox", "--var", "app=app", "--var", "command=[]"]);
        args.extend(["--var", "health_path=/stats"]);
        beach.run(&args)
    };
    let apply = || run("apply", &["btc-api.yml", "--yes"]);
    let applied = apply();
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    let url = url(&applied);
    let (status, text) = page(&beach, &format!("{url}report"));
    assert_eq!(
        (status, text.as_str()),
        (200, "Bitcoin report, version one, token \n")
    );
    assert_eq!(page(&beach, &format!("{url}none")).0, 404);
    assert_eq!(containers(&beach).lines().count(), 2);

    // Nothing changes, nothing is built.
    beach.forget_calls();
    let again = apply();
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let calls = beach.calls();
    for call in [
        "ecr:PutImage",
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService",
    ] {
        assert!(!calls.iter().any(|made| made == call), "{calls:?}");
    }

    // An edit of one file.
    let visitor = Visitor::begin(&url);
    beach.write("app/version", "two\n");
    // What is known is shown beside what is not: another size, and the image that runs now.
    let larger = BTC_API.replace("cpu: 512", "cpu: 256");
    beach.write("larger.yml", &larger);
    let planned = run("plan", &["larger.yml"]).stdout;
    let planned = planned.split_whitespace().collect::<Vec<_>>().join(" ");
    let image = "containers.api.image 127.0.0.1:";
    assert!(
        planned.contains("cpu 512 → 256") && planned.contains(image),
        "{planned}"
    );
    let edited = apply();
    let (asked, bad) = visitor.end();
    assert_eq!(edited.code, Some(0), "{}", edited.stderr);
    assert!(
        page(&beach, &format!("{url}report"))
            .1
            .contains("version two")
    );
    assert_eq!((bad, asked > 100), (Vec::new(), true), "{asked} requests");

    let logs = run("logs", &["services.btc-api", "-f", "btc-api.yml"]);
    assert!(
        logs.stdout.contains("version two starts"),
        "{}",
        logs.stdout
    );

    let gone = run("destroy", &["btc-api.yml", "--yes"]);
    assert_eq!(gone.code, Some(0), "{}", gone.stderr);
    assert_eq!(
        (containers(&beach).as_str(), left(&beach)),
        ("", Vec::new())
    );
}

/// A service whose containers read what only its own role may read.
const SECRETIVE: &str = "
stack: vault
region: eu-west-1
vars: { with: { default: token } }
repositories: { apps: {} }
images: { api: { context: app, repository: apps } }
keys: { own: {} }
parameters:
  token: { name: /vault/token, type: SecureString, generate: { length: 12 }, key: own }
secrets:
  word: { generate: { length: 9 }, recovery_days: 0 }
clusters: { main: {} }
services:
  api:
    for_each: [one]
    cluster: main
    cpu: 256
    memory_mib: 512
    launch_type: FARGATE
    containers:
      api: { image: api, port: 8000, secrets: { TOKEN: { parameter: token }, WORD: { secret: word } } }
    load_balancer: { health_check: { path: /stats, interval_seconds: 5, timeout_seconds: 2 } }
outputs: { url: '{{ services.api.one.url }}' }
";

#[test]
fn a_short_service_reads_its_secrets_and_leaves_nothing() {
    let beach = site();
    beach.write("vault.yml", SECRETIVE);
    let applied = beach.expect(0, &["apply", "vault.yml", "--sandbox", "--yes"]);
    let (status, text) = page(&beach, &format!("{}report", url(&applied)));
    let token = text.trim().rsplit(' ').next().unwrap();
    assert_eq!((status, token.len()), (200, 12), "{text}");
    beach.expect(0, &["plan", "vault.yml", "--sandbox"]);
    beach.expect(0, &["destroy", "vault.yml", "--sandbox", "--yes"]);
    assert_eq!(
        (containers(&beach).as_str(), left(&beach)),
        ("", Vec::new())
    );
}

/// A job that never ends, begun by a schedule.
const JOB: &str = "
stack: jobs
region: eu-west-1
vars: { at: { type: text } }
repositories: { apps: {} }
images: { job: { context: app, repository: apps } }
clusters: { main: {} }
log_groups: { job: { name: /ecs/job } }
roles:
  start:
    trusted_service: ecs-tasks
    managed_policies: [AmazonECSTaskExecutionRolePolicy]
  schedule:
    trusted_service: scheduler
    policies:
      run:
        - { Effect: Allow, Action: 'ecs:RunTask', Resource: '*' }
        - { Effect: Allow, Action: 'iam:PassRole', Resource: '{{ roles.start.arn }}' }
task_definitions:
  job: { cpu: 256, memory_mib: 512, execution_role: start, containers: { job: { image: job, logs: { group: job } } } }
schedules:
  job: { expression: 'at({{ vars.at }})', cluster: main, task_definition: job, role: schedule, launch_type: FARGATE }
";

#[test]
fn a_schedule_starts_its_task_which_holds_up_no_destroy() {
    let beach = site();
    beach.write("jobs.yml", JOB);
    let within = |seconds| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
        at.strftime("at=%Y-%m-%dT%H:%M:%S").to_string()
    };
    let with = |verb: &'static str, at: &str| {
        let args = [verb, "jobs.yml", "--sandbox", "--yes", "--var", at];
        beach.expect(0, &args)
    };
    // All is made for a day to come; then the time alone is changed.
    with("apply", &within(86_400));
    assert_eq!(containers(&beach), "");
    let at = within(15);
    with("apply", &at);
    let begun = std::time::Instant::now();
    while containers(&beach).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_mins(2),
            "nothing was started"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    with("destroy", &at);
    assert_eq!(
        (containers(&beach).as_str(), left(&beach)),
        ("", Vec::new())
    );
}

/// The version from before answers.
fn still_serves(beach: &Beach, report: &str, vars: &[&str]) {
    let (status, text) = page(beach, report);
    let one = text.contains("version one");
    assert_eq!((status, one), (200, true), "{vars:?}: {text}");
}

/// What can be known before a rollout ends the run before it.
fn nothing_is_begun_in_vain(beach: &Beach, report: &str) {
    for (var, wanted) in [
        (
            "token=arn:aws:ssm:eu-west-1:123456789012:parameter/btc/none",
            "parameter `/btc/none` does not exist",
        ),
        ("tag=none", "btc-api:none` does not exist"),
        (
            "port=9000",
            "requests go to port 8000, and container `api` does not have it",
        ),
    ] {
        let refused = apply(beach, &[var]);
        assert_eq!(refused.code, Some(1), "{var}: {}", refused.stderr);
        for text in [wanted, "service `api` is not rolled out"] {
            let said = &refused.stderr;
            assert!(said.contains(text), "{var}: no {text:?} in\n{said}");
        }
        still_serves(beach, report, &[var]);
    }
    // A health check that what runs does not pass is put back.
    let refused = apply(beach, &["path=/none"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    for text in [
        "the old one is put back",
        "codes: [404]",
        "answers `/none` with 200",
    ] {
        assert!(
            refused.stderr.contains(text),
            "no {text:?} in\n{}",
            refused.stderr
        );
    }
    let again = apply(beach, &[]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    still_serves(beach, report, &["path=/none"]);
}

#[test]
fn a_rollout_that_fails_is_rolled_back_and_says_why() {
    let beach = site();
    // The first one has nothing to go back to, and is not forgotten.
    let failed = apply(&beach, &["mode=crash"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    let nothing = "so nothing was rolled back";
    assert!(failed.stderr.contains(nothing), "{}", failed.stderr);
    let plan = ["plan", "site.yml", "--sandbox", "--var", "mode=crash"];
    let planned = beach.expect(3, &plan).stdout;
    assert!(planned.contains("rollout  failed → completed"), "{planned}");
    let applied = apply(&beach, &[]);
    assert_eq!(applied.code, Some(0), "{}", applied.stderr);
    let report = format!("{}report", url(&applied));
    let (_, text) = page(&beach, &report);
    let token = text.trim().rsplit(' ').next().unwrap();
    assert_eq!(token.len(), 12, "{text}");
    let none = "arn:aws:ssm:eu-west-1:123456789012:parameter/btc/none";
    let unreadable = format!("readable={none}");
    let cases: [(&[&str], &[&str]); 5] = [
        (
            &["mode=crash"],
            &[
                "Essential container in task exited",
                "container `api` ended with 3",
                "| Error in prices: the exchange is closed",
                "`tidewalk logs`",
            ],
        ),
        (
            // The new version has no page at the path that is checked.
            &["mode=lost"],
            &[
                "Task failed ELB health checks",
                "codes: [404]",
                "`health_check`",
            ],
        ),
        (
            &["mode=other", &unreadable],
            &[
                "unable to retrieve secrets from ssm",
                "AccessDenied",
                "the execution role may read it",
            ],
        ),
        (
            &["mode=hungry", "memory_mib=32"],
            &["OutOfMemoryError", "more `memory_mib`"],
        ),
        (
            &["image=nowhere.invalid/api:1"],
            &["CannotPullContainerError", "see that the image exists"],
        ),
    ];
    for (vars, wanted) in cases {
        let failed = apply(&beach, vars);
        assert_eq!(failed.code, Some(1), "{vars:?}: {}", failed.stderr);
        for text in wanted.iter().chain(&["rolled back: `api:"]) {
            assert!(
                failed.stderr.contains(text),
                "{vars:?}: no {text:?} in\n{}",
                failed.stderr
            );
        }
        still_serves(&beach, &report, vars);
    }
    nothing_is_begun_in_vain(&beach, &report);
    beach.expect(0, &["destroy", "site.yml", "--sandbox", "--yes"]);
    assert_eq!(containers(&beach), "");
}
