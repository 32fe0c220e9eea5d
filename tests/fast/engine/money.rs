//! What a plan costs, what it may cost at most, and what it takes of quotas.

use super::{Playroom, TOWER};

#[tokio::test]
async fn a_plan_tells_what_it_costs_and_how_much_of_it_is_new() {
    let room = Playroom::new();
    let plan = room.plan(TOWER).await.unwrap().plan;
    assert_eq!(plan.monthly().cents(), 4000);
    assert_eq!(plan.monthly_change(), Some(40.0));
    room.apply(TOWER).await;
    let gold = TOWER.replace("blue", "gold");
    let plan = room.plan(&gold).await.unwrap().plan;
    assert_eq!(plan.monthly().cents(), 13000);
    assert_eq!(plan.monthly_change(), Some(90.0));
    let json = plan.to_json();
    assert_eq!(json["summary"]["monthly_usd"], 130.0);
    assert_eq!(json["summary"]["monthly_usd_change"], 90.0);
    assert_eq!(json["summary"]["prices_of"], "2026-09");
    let steps = json["steps"].as_array().unwrap();
    let alone = steps.iter().find(|step| step["address"] == "toys.alone");
    assert_eq!(alone.unwrap()["monthly_usd"], 100.0);
    assert_eq!(alone.unwrap()["monthly_usd_now"], 10.0);
    let fewer = TOWER.replace("  alone: { color: blue }\n", "");
    let plan = room.plan(&fewer).await.unwrap().plan;
    assert_eq!(
        plan.monthly_change(),
        Some(-10.0),
        "an orphan costs until it is deleted"
    );
}

#[tokio::test]
async fn a_stack_is_not_made_dearer_than_its_limit() {
    let room = Playroom::new();
    let limit = |usd: &str, toys: &str| format!("limits: {{ monthly_usd: {usd} }}\n{toys}");
    assert!(room.plan(&limit("40", TOWER)).await.is_ok());
    let refused = room
        .plan(&limit("39.5", TOWER))
        .await
        .map(|_| ())
        .unwrap_err();
    let error = &refused.0[0];
    assert_eq!(
        error.message(),
        "the stack costs 40.00 US dollars a month, and its limit is 39.50"
    );
    let place = error.location().map(|at| (at.line, at.column));
    assert_eq!(place, Some((3, 24)));
    let gold = TOWER.replace("blue", "gold");
    let refused = room
        .plan(&limit("99", &gold))
        .await
        .map(|_| ())
        .unwrap_err();
    let notes = refused.0[0].notes().to_vec();
    assert!(
        notes[0].starts_with("dearest: toys.alone 100.00, toys."),
        "{notes:?}"
    );
    room.apply(&gold).await;
    let (outcome, _) = room.destroy(Some(&limit("1", &gold))).await;
    assert!(
        outcome.failed.is_empty(),
        "a limit is no obstacle to destroy"
    );
}

#[tokio::test]
async fn a_limit_says_where_a_price_is_unknown() {
    let room = Playroom::new();
    let shining = format!(
        "limits: {{ monthly_usd: 40 }}\n{}",
        TOWER.replace("blue", "shining")
    );
    let plan = room.plan(&shining).await.unwrap().plan;
    assert_eq!(
        plan.warnings,
        ["`limits.monthly_usd` holds for what has a price; without one: toys/shining"]
    );
    assert_eq!(plan.monthly_change(), None);
    let prepared = room.plan(&TOWER.replace("blue", "shining")).await.unwrap();
    assert_eq!(
        plan.fingerprint, prepared.plan.fingerprint,
        "a warning is no change"
    );
}

#[tokio::test]
async fn a_passed_quota_is_a_warning() {
    let room = Playroom::new();
    room.apply(TOWER).await;
    assert!(room.plan(TOWER).await.unwrap().plan.warnings.is_empty());
    let more = format!("{TOWER}  more: {{}}\n");
    let warnings = room.plan(&more).await.unwrap().plan.warnings;
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("5 toys in eu-west-1 are more than the 4"),
        "{warnings:?}"
    );
    let outcome = room.apply(&more).await;
    assert!(outcome.failed.is_empty(), "it is no refusal");
}
