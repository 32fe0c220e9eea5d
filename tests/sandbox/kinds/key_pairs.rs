//! The life of key pairs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;

use super::{key, output};
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
