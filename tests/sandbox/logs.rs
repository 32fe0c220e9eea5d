//! `tidewalk logs`: what containers have written, found by the service's name.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Region};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use jiff::Timestamp;
use serde_json::Value as Json;

use crate::harness::{Beach, credentials};
use crate::patience;

const SITE: &str = "
stack: talk
region: eu-west-1
clusters: { main: {} }
log_groups: { talk: { retention_days: 1 } }
roles:
  start:
    trusted_service: ecs-tasks
    managed_policies: [AmazonECSTaskExecutionRolePolicy]
task_definitions:
  talk:
    cpu: 256
    memory_mib: 512
    execution_role: start
    containers:
      web: { image: web, logs: { group: talk } }
      side: { image: side, logs: { group: talk, prefix: extra } }
      quiet: { image: quiet }
services:
  talk: { cluster: main, task_definition: talk, launch_type: FARGATE }
";

const TASK: &str = "0123456789abcdef0123456789abcdef";

fn logs(beach: &Beach) -> aws_sdk_cloudwatchlogs::Client {
    let config = aws_sdk_cloudwatchlogs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .credentials_provider(credentials())
        .build();
    aws_sdk_cloudwatchlogs::Client::from_conf(config)
}

/// A container writes a line, so many seconds ago.
fn write(beach: &Beach, stream: &str, ago: i64, text: &str) {
    let logs = logs(beach);
    let stream = format!("{stream}/{TASK}");
    let at = Timestamp::now().as_millisecond() - ago * 1000;
    let event = InputLogEvent::builder().timestamp(at).message(text);
    let event = event.build().unwrap();
    beach.by_hand(async |_| {
        let make = logs.create_log_stream().log_group_name("talk");
        // It may be there already.
        let _ = make.log_stream_name(&stream).send().await;
        let put = logs.put_log_events().log_group_name("talk");
        let put = put.log_stream_name(&stream).log_events(event);
        put.send().await.unwrap();
    });
}

#[test]
fn what_a_service_writes_is_shown_by_its_name_and_followed() {
    let beach = Beach::without_hosts();
    beach.write("site.yml", SITE);
    let logs = |more: &[&str]| {
        let mut args = vec!["logs", "services.talk", "-f", "site.yml", "--sandbox"];
        args.extend(more);
        beach.run(&args)
    };
    let early = logs(&[]);
    assert_eq!(early.code, Some(1), "{}", early.stdout);
    assert!(
        early.stderr.contains("does not exist yet"),
        "{}",
        early.stderr
    );
    beach.expect(0, &["apply", "site.yml", "--sandbox", "--yes"]);
    write(&beach, "web/web", 3000, "an old line");
    write(&beach, "web/web", 60, "hello");
    write(&beach, "extra/side", 30, "beside it");
    write(&beach, "other/other", 20, "somebody else's");

    let said = logs(&[]).stdout;
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].ends_with("Z  web 01234567  hello"), "{said}");
    assert!(lines[1].ends_with("Z  side 01234567  beside it"), "{said}");
    let said = logs(&["--since", "2h", "--container", "web"]).stdout;
    assert!(
        said.contains("an old line") && !said.contains("beside"),
        "{said}"
    );
    let document = logs(&["--json"]).stdout;
    let document: Json = serde_json::from_str(document.lines().last().unwrap()).unwrap();
    let text = document["logs"]["lines"][1]["text"].clone();
    assert_eq!(text, "beside it", "{document}");
    for (more, why) in [
        (
            ["--container", "quiet"],
            "has no container `quiet` that writes logs",
        ),
        (["--since", "soon"], "invalid value 'soon'"),
    ] {
        let wrong = logs(&more);
        assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
        assert!(wrong.stderr.contains(why), "{}", wrong.stderr);
    }
    let wrong = beach.run(&["logs", "tlak", "-f", "site.yml", "--sandbox"]);
    assert!(
        wrong.stderr.contains("did you mean `talk`?"),
        "{}",
        wrong.stderr
    );

    let args = ["logs", "talk", "-f", "site.yml", "--sandbox", "--follow"];
    let mut follow = beach.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().ends_with("hello"));
    assert!(next().ends_with("beside it"));
    write(&beach, "web/web", 0, "and one more");
    assert!(next().ends_with("and one more"));
    let pid = follow.id().to_string();
    patience::output(Command::new("kill").args(["-INT", &pid]));
    assert_eq!(patience::wait(&mut follow).code(), Some(0));
    beach.expect(0, &["destroy", "site.yml", "--sandbox", "--yes"]);
}
