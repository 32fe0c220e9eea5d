//! Each kind's life against the emulator: made, unchanged, changed field by field, deleted, gone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value as Json, json};
use tidewalk::base::ErrorKind;
use tidewalk::contract::Presence;

use crate::cloud::{Play, fields, kind, refused};

#[tokio::test]
async fn an_imported_key_pair_lives() {
    let mut play = Play::start().await;
    let (public, other) = (key(&play, "a"), key(&play, "b"));
    let spec = json!({ "public_key": public });
    let stage = play.stage("key_pairs.de3", &spec, &[("Owner", "me")]);
    let (_, first) = play.bring(&stage).await.unwrap();
    assert!(first.id.starts_with("key-"), "{}", first.id);
    assert_eq!(first.outputs.text("name"), Some("de3"));
    assert_eq!(first.tags.value("Owner"), Some("me"));

    // A run that was killed before it knew of it finds it again.
    let again = kind("key_pairs")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap();
    assert_eq!(again.id, first.id);

    let stage = play.stage("key_pairs.de3", &spec, &[("Class", "DE3")]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert_eq!(fields(&diff), ["tags.Class", "tags.Owner"]);
    assert_eq!(found.id, first.id);
    assert_eq!(found.tags.value("Owner"), None);

    let stage = play.stage("key_pairs.de3", &json!({ "public_key": other }), &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert!(diff.replaces());
    assert_ne!(found.id, first.id);
    play.delete(&stage, &found).await;
}

#[tokio::test]
async fn a_key_pairs_name_that_another_has_is_refused() {
    let mut play = Play::start().await;
    let spec = json!({ "name": "same", "public_key": key(&play, "a") });
    let mine = play.stage("key_pairs.mine", &spec, &[]);
    play.bring(&mine).await.unwrap();
    let yours = play.stage("key_pairs.yours", &spec, &[]);
    let error = refused(play.bring(&yours).await);
    assert_eq!(error.service_code(), Some("InvalidKeyPair.Duplicate"));
    assert_eq!(error.hints().len(), 1);
}

#[tokio::test]
async fn a_created_key_pair_keeps_its_private_key_here() {
    let mut play = Play::start().await;
    let path = play.folder.path().join("keys/de3.pem");
    let spec = json!({ "create": { "private_key": path, "ppk": true } });
    let stage = play.stage("key_pairs.de3", &spec, &[]);
    let (_, first) = play.bring(&stage).await.unwrap();
    assert_eq!(first.outputs.text("private_key"), path.to_str());
    let putty = path.with_extension("ppk");
    for file in [&path, &putty] {
        assert_eq!(
            fs::metadata(file).unwrap().permissions().mode() & 0o777,
            0o400
        );
    }
    // What OpenSSH and PuTTY (the package `putty-tools`) read out of them is one and the same.
    let openssh = output(Command::new("ssh-keygen").arg("-y").arg("-f").arg(&path));
    let puttys = output(Command::new("puttygen").arg("-L").arg(&putty));
    assert_eq!(openssh.trim(), puttys.trim());

    // The private key survives the key pair, and a new one takes it up again.
    play.delete(&stage, &first).await;
    let before = fs::read(&path).unwrap();
    let (_, second) = play.bring(&stage).await.unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(
        second.outputs.text("fingerprint"),
        first.outputs.text("fingerprint")
    );

    // Somebody else's file at the path stays, and nothing is made in AWS.
    let taken = play.folder.path().join("taken.pem");
    fs::write(&taken, "precious").unwrap();
    let spec = json!({ "create": { "private_key": taken } });
    let other = play.stage("key_pairs.other", &spec, &[]);
    let error = refused(play.bring(&other).await);
    assert!(
        error.message().contains("taken.pem is there already"),
        "{error}"
    );
    assert_eq!(fs::read(&taken).unwrap(), b"precious");
    assert!(play.found(&other).await.is_none());
}

#[tokio::test]
async fn a_security_group_lives() {
    let mut play = Play::start().await;
    let db = play.stage("security_groups.db", &json!({}), &[]);
    let (_, db_found) = play.bring(&db).await.unwrap();

    let rules = |list: Json| json!({ "ingress": list });
    let from = rules(json!([
        { "ports": 22, "from": "me", "description": "ssh" },
        { "ports": [80, 443], "from": "anywhere" },
        { "ports": "8000-8100", "from": ["db", "web"] },
    ]));
    let stage = play.stage("security_groups.web", &from, &[("Owner", "me")]);
    let (_, first) = play.bring(&stage).await.unwrap();
    assert!(first.id.starts_with("sg-"), "{}", first.id);
    let again = kind("security_groups")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap();
    assert_eq!(again.id, first.id);

    let to = json!({
        "ingress": [
            { "ports": 22, "from": "me", "description": "secure shell" },
            { "ports": 443, "from": "10.0.0.0/8" },
            { "protocol": "icmp", "from": "10.0.0.0/8" },
        ],
        "egress": [{ "ports": 443, "to": "anywhere" }, { "protocol": "all", "to": "db" }],
    });
    let stage = play.stage("security_groups.web", &to, &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert_eq!(found.id, first.id);
    let shown: Vec<_> = diff
        .changes
        .iter()
        .map(|c| format!("{} -> {}", c.old, c.new))
        .collect();
    assert_eq!(
        shown[0],
        "tcp 22 from 203.0.113.7/32 (ssh) -> tcp 22 from 203.0.113.7/32 (secure shell)"
    );
    assert!(
        shown.contains(&"tcp 8000-8100 from group db -> (none)".to_owned()),
        "{shown:?}"
    );
    assert!(
        shown.contains(&"(none) -> tcp 443 to ::/0".to_owned()),
        "{shown:?}"
    );

    let anew = json!({ "name": "front" });
    let stage = play.stage("security_groups.web", &anew, &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert!(diff.replaces());
    assert_ne!(found.id, first.id);
    play.delete(&stage, &found).await;
    play.delete(&db, &db_found).await;
}

#[tokio::test]
async fn a_security_groups_name_that_another_has_is_refused() {
    let mut play = Play::start().await;
    let spec = json!({ "name": "same" });
    let mine = play.stage("security_groups.mine", &spec, &[]);
    play.bring(&mine).await.unwrap();
    let yours = play.stage("security_groups.yours", &spec, &[]);
    let error = refused(play.bring(&yours).await);
    assert_eq!(error.service_code(), Some("InvalidGroup.Duplicate"));
    assert!(
        error
            .notes()
            .iter()
            .any(|note| note.contains("security_groups.mine")),
        "{error:?}"
    );
}

/// An instance with all it stands on.
async fn server(play: &mut Play, spec: &Json) -> crate::stage::Stage {
    for name in ["de3", "db"] {
        let group = play.stage(&format!("security_groups.{name}"), &json!({}), &[]);
        play.bring(&group).await.unwrap();
    }
    let spec_of_key = json!({ "public_key": key(play, "a") });
    let pair = play.stage("key_pairs.de3", &spec_of_key, &[]);
    play.bring(&pair).await.unwrap();
    play.stage("instances.server", spec, &[("Owner", "me")])
}

fn plain() -> Json {
    json!({
        "ami": { "ubuntu": "22.04" },
        "instance_type": "t3a.small",
        "key_pair": "de3",
        "security_groups": ["de3"],
        "root_volume": { "size_gib": 20 },
    })
}

fn with(changes: &Json) -> Json {
    let mut spec = plain();
    for (key, value) in changes.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

#[tokio::test]
async fn an_instance_is_made_once_and_whole() {
    let mut play = Play::start().await;
    let stage = server(&mut play, &plain()).await;
    let (_, first) = play.bring(&stage).await.unwrap();
    let output = |name: &str| first.outputs.text(name).unwrap_or_default().to_owned();
    assert_eq!(output("state"), "running");
    assert_eq!(
        output("image_id"),
        "ami-0c22040000000002",
        "the newest of the release"
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
    let steps = [
        (json!({ "ami": { "debian": "12" } }), "ami"),
        (json!({ "ami": "ami-0a20230000000001" }), "ami"),
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
    assert_eq!(
        error.message(),
        "no image for `ubuntu 99.04` (x86_64) in eu-west-1"
    );
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

#[tokio::test]
async fn an_elastic_ip_lives() {
    let mut play = Play::start().await;
    let server = server(&mut play, &plain()).await;
    let (_, instance) = play.bring(&server).await.unwrap();
    let stage = play.stage("elastic_ips.server", &json!({}), &[]);
    let (_, first) = play.bring(&stage).await.unwrap();
    assert_eq!(first.outputs.0["instance_id"], Json::Null);
    let again = kind("elastic_ips")
        .apply(&play.cx, stage.target(), None)
        .await
        .unwrap();
    assert_eq!(again.id, first.id);

    let stage = play.stage("elastic_ips.server", &json!({ "instance": "server" }), &[]);
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert_eq!(fields(&diff), ["instance"]);
    assert_eq!(
        found.outputs.text("instance_id"),
        Some(instance.id.as_str())
    );
    assert_eq!(found.id, first.id);

    // Taken off by hand, it is put back.
    let association = found.outputs.text("association_id").unwrap();
    let call = play
        .cx
        .aws
        .ec2
        .disassociate_address()
        .association_id(association);
    call.send().await.unwrap();
    let (diff, found) = play.bring(&stage).await.unwrap();
    assert_eq!(fields(&diff), ["instance"]);
    play.delete(&stage, &found).await;
    play.delete(&server, &instance).await;
}

#[tokio::test]
async fn a_check_tells_what_it_saw() {
    let play = Play::start().await;
    let url = format!("{}/moto-api/", play.cloud.endpoint);
    let place = play.cloud.endpoint.trim_start_matches("http://").to_owned();
    let checks = kind("checks");
    let perform = async |spec: Json| {
        let stage = play.stage("checks.c", &spec, &[]);
        checks.check(&stage.node).unwrap();
        checks.apply(&play.cx, stage.target(), None).await
    };
    perform(json!({ "http": url, "contains": "Moto", "within": 20 }))
        .await
        .unwrap();
    perform(json!({ "tcp": place, "within": 20 }))
        .await
        .unwrap();
    let seen = async |spec: Json| {
        let error = perform(spec).await.err().expect("the check fails");
        assert_eq!(error.service_code(), Some("CheckFailed"));
        error.notes().join("\n")
    };
    let wrong = seen(json!({ "http": url, "status": 204, "within": 1 })).await;
    assert!(wrong.contains("status 200 instead of 204"), "{wrong}");
    let text = seen(json!({ "http": url, "contains": "no such text", "within": 1 })).await;
    assert!(text.contains("but not the text `no such text`"), "{text}");
    let refused = seen(json!({ "tcp": "127.0.0.1:1", "within": 1 })).await;
    assert!(refused.contains("refused"), "{refused}");
}

#[tokio::test]
async fn without_an_answer_nothing_is_concluded() {
    let play = Play::start().await;
    let Play { cx, cloud, .. } = play;
    drop(cloud);
    let answers = kind("key_pairs").presence(&cx, &["key-1".to_owned()]).await;
    assert!(matches!(answers[..], [Presence::Unknown(_)]), "{answers:?}");
    let error = kind("instances")
        .discover(&cx, &tidewalk::contract::Wanted::default())
        .await;
    let error = error.err().expect("a listing that failed is an error");
    assert_eq!(error.service_code(), Some("Unreachable"));
}

/// A new public key, as text.
fn key(play: &Play, name: &str) -> String {
    let path = play.folder.path().join(name);
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "play", "-f"])
        .arg(&path);
    output(&mut command);
    fs::read_to_string(path.with_extension("pub"))
        .unwrap()
        .trim()
        .to_owned()
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("the program is installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
