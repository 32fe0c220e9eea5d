//! `tidewalk rollback`: a service runs an earlier revision again, and the playbook wins at the next apply.

use aws_sdk_ecs::config::{BehaviorVersion, Region};

use crate::harness::{Beach, credentials};
use crate::playbooks::changes;

const SITE: &str = "
stack: back
region: eu-west-1
clusters: { main: {} }
task_definitions:
  api: { cpu: 256, memory_mib: 512, containers: { api: { image: \"api:IMAGE\" } } }
services:
  api: { cluster: main, task_definition: api, launch_type: FARGATE }
";

/// What ECS says that the service runs.
fn runs(beach: &Beach) -> String {
    let config = aws_sdk_ecs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(beach.endpoint())
        .credentials_provider(credentials())
        .build();
    let ecs = aws_sdk_ecs::Client::from_conf(config);
    let told = beach.by_hand(async |_| {
        let call = ecs.describe_services().cluster("main").services("api");
        call.send().await.unwrap().services.unwrap_or_default()
    });
    let arn = told[0].task_definition().unwrap();
    arn.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn a_service_goes_back_and_the_next_apply_goes_forward() {
    let beach = Beach::without_hosts();
    let image = |tag: &str| beach.write("site.yml", &SITE.replace("IMAGE", tag));
    let apply = ["apply", "site.yml", "--sandbox", "--yes"];
    let back = |more: &[&str]| {
        let mut args = vec!["rollback", "services.api", "-f", "site.yml", "--sandbox"];
        args.extend(more);
        beach.run(&args)
    };
    image("1");
    beach.expect(0, &apply);
    let none = back(&["--yes"]);
    assert_eq!(none.code, Some(1), "{}", none.stderr);
    assert!(
        none.stderr.contains("no revision before 1"),
        "{}",
        none.stderr
    );
    image("2");
    beach.expect(0, &apply);
    assert_eq!(runs(&beach), "api:2");

    let asked = back(&[]);
    assert_eq!((asked.code, runs(&beach).as_str()), (Some(2), "api:2"));
    let done = back(&["--yes"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    assert!(
        done.stderr.contains("services.api: api:2 → api:1"),
        "{}",
        done.stderr
    );
    assert_eq!(runs(&beach), "api:1");
    let planned = beach.expect(3, &["plan", "site.yml", "--sandbox", "--json"]);
    assert_eq!(changes(&planned.stdout), ["services.api: task_definition"]);

    let wrong = back(&["--yes", "--to", "7"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("there are: 2, 1"), "{}", wrong.stderr);
    assert_eq!(back(&["--yes", "--to", "2"]).code, Some(0));
    beach.expect(0, &["plan", "site.yml", "--sandbox"]);
    assert_eq!(back(&["--yes"]).code, Some(0));
    beach.expect(0, &apply);
    assert_eq!(runs(&beach), "api:2");
    beach.expect(0, &["destroy", "site.yml", "--sandbox", "--yes"]);
}
