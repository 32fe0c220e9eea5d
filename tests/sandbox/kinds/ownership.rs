//! What is not the stack's, or must not be deleted, is left as it is: records, zones, buckets,
//! tables.

use serde_json::json;
use tidewalk::base::{Error, ErrorKind};
use tidewalk::sandbox::Effect;

use crate::cloud::{Play, kind, refused};

/// A region that no other play uses: Route 53 and S3 are one for all regions anyway.
async fn play() -> Play {
    Play::at(crate::cloud::endpoint(), "eu-north-1").await
}

fn notes(error: &Error) -> String {
    error.notes().join("\n")
}

#[tokio::test]
async fn a_record_and_a_zone_of_others_are_left() {
    let mut play = play().await;
    let zone = play.stage("zones.mine", &json!({ "domain": "mine.example" }), &[]);
    let (_, zone_found) = play.bring(&zone).await.unwrap();
    let www = json!({ "zone": "mine", "type": "A", "values": ["192.0.2.1"] });
    let www = play.stage("records.www", &www, &[]);
    let (_, found) = play.bring(&www).await.unwrap();
    assert_eq!(
        found.parts[0].id.split('/').nth(1).unwrap(),
        "a.www._tidewalk.mine.example"
    );

    // The same name again, by another resource of the stack.
    let same = json!({ "zone": "mine", "name": "www", "type": "A", "values": ["192.0.2.9"] });
    let same = play.stage("records.again", &same, &[]);
    let error = refused(play.bring(&same).await);
    assert_eq!(
        error.message(),
        "the A record `www.mine.example` exists already"
    );
    assert_eq!(notes(&error), "it is `records.www` of stack `play`");

    // A record that has lost its companion is nobody's that tidewalk knows.
    by_hand(&play, &zone_found.id, "DELETE", &found).await;
    assert!(play.found(&www).await.is_none());
    let error = refused(play.bring(&www).await);
    assert!(
        notes(&error).contains("so it is not tidewalk's"),
        "{}",
        notes(&error)
    );
    let error = kind("records").delete(&play.cx, &found).await.unwrap_err();
    assert!(
        error.message().contains("has lost its companion"),
        "{}",
        error.message()
    );

    let error = kind("zones")
        .delete(&play.cx, &zone_found)
        .await
        .unwrap_err();
    assert_eq!(error.message(), "the zone `mine.example` still has records");
    assert_eq!(notes(&error), "held by: A www.mine.example");

    // With its companion, it is the stack's again.
    by_hand(&play, &zone_found.id, "CREATE", &found).await;
    let again = play.found(&www).await.unwrap();
    play.delete(&www, &again).await;
    play.delete(&zone, &zone_found).await;
}

/// Deletes or creates the companion of `www.mine.example` with the text that it had.
async fn by_hand(play: &Play, zone: &str, action: &str, found: &tidewalk::contract::Found) {
    use aws_sdk_route53::types::{
        Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
    };
    let tags = &found.tags.0;
    let text: Vec<String> = ["stack", "address", "spec"]
        .iter()
        .filter_map(|key| Some(format!("{key}={}", tags.get(&format!("tidewalk:{key}"))?)))
        .collect();
    let value = format!("\"tidewalk {}\"", text.join(";"));
    let set = ResourceRecordSet::builder()
        .name("a.www._tidewalk.mine.example")
        .r#type(RrType::Txt)
        .ttl(300)
        .resource_records(ResourceRecord::builder().value(value).build().unwrap());
    let change = Change::builder()
        .action(ChangeAction::from(action))
        .resource_record_set(set.build().unwrap());
    let batch = ChangeBatch::builder().changes(change.build().unwrap());
    let call = play.cx.aws.route53.change_resource_record_sets();
    let call = call
        .hosted_zone_id(zone)
        .change_batch(batch.build().unwrap());
    call.send().await.unwrap();
}

#[tokio::test]
async fn a_zone_that_a_killed_run_did_not_tag_is_found() {
    let mut play = play().await;
    let call = play
        .cx
        .aws
        .route53
        .create_hosted_zone()
        .name("killed.example");
    let made = call.caller_reference("tidewalk|play|zones.killed|0");
    let made = made.send().await.unwrap().hosted_zone.unwrap();
    let zone = play.stage("zones.killed", &json!({ "domain": "killed.example" }), &[]);
    let (_, found) = play.bring(&zone).await.unwrap();
    assert!(made.id.ends_with(&found.id), "{} {}", made.id, found.id);
    play.delete(&zone, &found).await;
}

#[tokio::test]
async fn a_bucket_is_emptied_only_with_proof() {
    let mut play = play().await;
    let s3 = play.cx.aws.s3.clone();
    let bucket = play.stage("buckets.data", &json!({ "versioning": true }), &[]);
    let (_, found) = play.bring(&bucket).await.unwrap();
    assert_eq!(found.id, "play-data-123456789012");
    for name in ["a", "b", "a"] {
        let call = s3.put_object().bucket(&found.id).key(name);
        call.send().await.unwrap();
    }
    let call = s3.delete_object().bucket(&found.id).key("b");
    call.send().await.unwrap();
    let call = s3.create_multipart_upload().bucket(&found.id).key("c");
    call.send().await.unwrap();

    s3.delete_bucket_tagging()
        .bucket(&found.id)
        .send()
        .await
        .unwrap();
    let error = kind("buckets").delete(&play.cx, &found).await.unwrap_err();
    assert!(
        error.message().contains("no longer has tags"),
        "{}",
        error.message()
    );
    let left = s3
        .list_object_versions()
        .bucket(&found.id)
        .send()
        .await
        .unwrap();
    assert_eq!(left.versions().len(), 3);
    let error = refused(play.bring(&bucket).await);
    assert_eq!(notes(&error), "it has no tags of tidewalk");

    let tags = aws_sdk_s3::types::Tagging::builder();
    let tags = found.tags.0.iter().fold(tags, |tags, (key, value)| {
        let tag = aws_sdk_s3::types::Tag::builder().key(key).value(value);
        tags.tag_set(tag.build().unwrap())
    });
    let call = s3.put_bucket_tagging().bucket(&found.id);
    call.tagging(tags.build().unwrap()).send().await.unwrap();
    let again = play.found(&bucket).await.unwrap();
    play.delete(&bucket, &again).await;
}

#[tokio::test]
async fn a_bucket_that_lists_what_was_deleted_is_not_emptied_for_ever() {
    // Its faults strike every play in its region.
    let mut play = Play::at(crate::cloud::endpoint(), "eu-south-2").await;
    let s3 = play.cx.aws.s3.clone();
    let bucket = play.stage("buckets.stale", &json!({ "versioning": true }), &[]);
    let (_, found) = play.bring(&bucket).await.unwrap();
    let put = s3.put_object().bucket(&found.id).key("stays");
    put.send().await.unwrap();
    let list = s3.list_object_versions().bucket(&found.id).prefix("");
    list.send().await.unwrap();
    play.strike_service("s3", "ListObjectVersions", 6, Effect::Stale { ms: 600_000 })
        .await;
    let error = kind("buckets").delete(&play.cx, &found).await.unwrap_err();
    assert_eq!(
        error.message(),
        format!(
            "objects in `{}` come back as often as they are deleted",
            found.id
        )
    );
    assert_eq!(notes(&error), "stays");
    play.delete(&bucket, &found).await;
}

#[tokio::test]
async fn a_protected_table_is_kept() {
    let mut play = play().await;
    let spec = |protected: bool| json!({ "partition_key": { "name": "id" }, "deletion_protection": protected });
    let table = play.stage("tables.kept", &spec(true), &[]);
    let (_, found) = play.bring(&table).await.unwrap();
    let error = kind("tables").delete(&play.cx, &found).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Kept);
    assert_eq!(error.message(), "table `kept` has deletion protection");
    let table = play.stage("tables.kept", &spec(false), &[]);
    let (_, found) = play.bring(&table).await.unwrap();
    play.delete(&table, &found).await;
}
