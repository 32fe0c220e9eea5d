//! The life of instances.

use serde_json::json;
use tidewalk::base::ErrorKind;

use super::{plain, server, with};
use crate::cloud::{Play, fields, kind, refused};

#[tokio::test]
async fn an_instance_is_made_once_and_whole() {
    let mut play = Play::start().await;
    let stage = server(&mut play, &plain()).await;
    let (_, first) = play.bring(&stage).await.unwrap();
    let output = |name: &str| first.outputs.text(name).unwrap_or_default().to_owned();
    assert_eq!(output("state"), "running");
    assert_eq!(
        output("image_id"),
        image(&play, "ubuntu-jammy-22.04-amd64").await
    );
    assert_eq!(output("key_pair"), "de3");
    assert!(
        output("host_key").starts_with("planted ssh-ed25519 AAAA"),
        "{}",
        output("host_key")
    );
    assert!(!output("public_ip").is_empty());
    assert_eq!(first.tags.value("Name"), Some("play-server"));
    let volumes = first
        .parts
        .iter()
        .filter(|part| part.noun == "volume")
        .count();
    assert_eq!((volumes, first.parts.len()), (1, 2));

    // A run that was killed after the launch finds it again.
    let again = kind("instances")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap();
    assert_eq!(again.id, first.id);
    play.found(&stage).await.unwrap();

    // Terminated behind our back, it is absent, and made anew.
    kind("instances").delete(&play.cx, &first).await.unwrap();
    assert!(play.found(&stage).await.is_none());
    let (_, second) = play.bring(&stage).await.unwrap();
    assert_ne!(second.id, first.id);
    play.delete(&stage, &second).await;
}

#[tokio::test]
async fn an_instance_changes_in_place() {
    let mut play = Play::start().await;
    let stage = server(&mut play, &plain()).await;
    let (_, first) = play.bring(&stage).await.unwrap();
    let steps = [
        (
            json!({ "security_groups": ["de3", "db"] }),
            "security_groups",
        ),
        (
            json!({ "root_volume": { "size_gib": 30 } }),
            "root_volume.size_gib",
        ),
        (
            json!({ "root_volume": { "size_gib": 30, "type": "gp2" } }),
            "root_volume.type",
        ),
        (json!({ "instance_type": "t3a.medium" }), "instance_type"),
        (json!({ "state": "stopped" }), "state"),
        (
            json!({ "state": "stopped", "instance_type": "t3a.large" }),
            "instance_type",
        ),
        (json!({ "state": "running" }), "state"),
        (
            json!({ "termination_protection": true }),
            "termination_protection",
        ),
    ];
    let mut spec = plain();
    for (changes, field) in steps {
        for (key, value) in changes.as_object().unwrap() {
            spec[key] = value.clone();
        }
        let stage = play.stage("instances.server", &spec, &[("Owner", "me")]);
        let (diff, found) = play.bring(&stage).await.unwrap();
        assert!(fields(&diff).contains(&field), "{field}: {diff:?}");
        assert_eq!(found.id, first.id, "{field}");
    }

    let protected = play.found(&stage).await.unwrap();
    let error = kind("instances")
        .delete(&play.cx, &protected)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kept, "{error:?}");
    spec["termination_protection"] = false.into();
    let stage = play.stage("instances.server", &spec, &[("Owner", "you")]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert!(fields(&diff).contains(&"tags.Owner"));
    play.delete(&stage, &found).await;
}

#[tokio::test]
async fn an_instance_is_made_anew_where_it_must() {
    let mut play = Play::start().await;
    let stage = server(&mut play, &plain()).await;
    let (_, mut last) = play.bring(&stage).await.unwrap();
    let amazon = image(&play, "al2023-ami-2023").await;
    let steps = [
        (json!({ "ami": { "debian": "12" } }), "ami"),
        (json!({ "ami": amazon }), "ami"),
        (
            json!({ "ami": { "ubuntu": "22.04" }, "instance_type": "t4g.small" }),
            "instance_type",
        ),
        (json!({ "user_data": "#!/bin/sh\necho hello" }), "user_data"),
        (
            json!({ "root_volume": { "size_gib": 10 } }),
            "root_volume.size_gib",
        ),
    ];
    for (changes, field) in steps {
        let spec = with(&changes);
        let stage = play.stage("instances.server", &spec, &[]);
        let (diff, found) = play.bring(&stage).await.unwrap();
        assert!(
            fields(&diff).contains(&field) && diff.replaces(),
            "{field}: {diff:?}"
        );
        assert_ne!(found.id, last.id, "{field}");
        last = found;
    }
    let error = {
        let spec = with(&json!({ "ami": { "ubuntu": "99.04" } }));
        let stage = play.stage("instances.other", &spec, &[]);
        refused(play.bring(&stage).await)
    };
    let region = &play.cx.region;
    let text = format!("no image for `ubuntu 99.04` (x86_64) in {region}");
    assert_eq!(error.message(), text);
    play.delete(&stage, &last).await;
}

#[tokio::test]
async fn many_instances_are_found_and_waited_for_in_few_calls() {
    let mut play = Play::start().await;
    server(&mut play, &plain()).await;
    let before = play.cx.aws.record();
    let names: Vec<_> = (0..20).map(|n| format!("instances.n{n}")).collect();
    let stages: Vec<_> = names
        .iter()
        .map(|name| play.stage(name, &plain(), &[]))
        .collect();
    let instances = kind("instances");
    let made = stages
        .iter()
        .map(|stage| instances.apply(&play.cx, stage.target(), None));
    let made = futures::future::join_all(made).await;
    if let Some(error) = made.into_iter().find_map(Result::err) {
        panic!("{error:?}");
    }
    let after = play.cx.aws.record();
    let calls = |record: &tidewalk::aws::Record, action: &str| {
        record.0.get(action).map_or(0, |count| count.calls)
    };
    assert_eq!(
        calls(&after, "ec2:RunInstances") - calls(&before, "ec2:RunInstances"),
        20
    );

    let start = after.calls();
    let found = instances
        .discover(&play.cx, &tidewalk::contract::Wanted::default())
        .await
        .unwrap();
    assert_eq!(found.len(), 20);
    assert_eq!(
        play.cx.aws.record().calls() - start,
        2,
        "instances and volumes"
    );
}

/// The newest x86-64 image with this in its name.
async fn image(play: &Play, name: &str) -> String {
    let listed = play.cx.aws.ec2.describe_images().send().await.unwrap();
    let images = listed.images.unwrap_or_default().into_iter();
    let fits = images.filter(|image| {
        let named = image.name().is_some_and(|its| its.contains(name));
        named
            && image
                .architecture()
                .is_some_and(|its| its.as_str() == "x86_64")
    });
    let newest = fits.max_by(|a, b| a.creation_date().cmp(&b.creation_date()));
    newest.unwrap().image_id.unwrap()
}
