//! The life of elastic IPs.

use serde_json::{Value as Json, json};

use super::{plain, server};
use crate::cloud::{Play, fields, kind};

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
