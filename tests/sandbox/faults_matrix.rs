//! A life in which every EC2 action goes wrong, once for each way of going wrong: it comes about or
//! says why not, the next run converges, nothing is there twice, and nothing is left.

use std::thread;

use serde_json::Value;
use tidewalk::sandbox::{Effect, Fault};

use crate::harness::Beach;
use crate::life::NODE;

/// Actions that a plan, an apply and a destroy of the node use.
const ACTIONS: [&str; 20] = [
    "AllocateAddress",
    "AssociateAddress",
    "AuthorizeSecurityGroupIngress",
    "CreateSecurityGroup",
    "DeleteKeyPair",
    "DeleteSecurityGroup",
    "DescribeAddresses",
    "DescribeImages",
    "DescribeInstances",
    "DescribeKeyPairs",
    "DescribeNetworkInterfaces",
    "DescribeSecurityGroups",
    "DescribeVolumes",
    "DescribeVpcs",
    "DisassociateAddress",
    "ImportKeyPair",
    "ReleaseAddress",
    "RevokeSecurityGroupIngress",
    "RunInstances",
    "TerminateInstances",
];

/// A way of going wrong, how many calls of an action it strikes, and a region for all actions, or
/// several that share them: each throttled call takes seconds.
fn ways() -> [(Effect, u32, &'static [&'static str]); 6] {
    let server_error = Effect::Error {
        status: 500,
        code: "InternalError".to_owned(),
    };
    let denied = Effect::Error {
        status: 403,
        code: "UnauthorizedOperation".to_owned(),
    };
    [
        (
            Effect::Throttle,
            3,
            &["eu-west-1", "ca-central-1", "eu-south-1", "sa-east-1"],
        ),
        (server_error, 1, &["eu-west-2", "us-west-1"]),
        (Effect::Reset, 1, &["eu-west-3", "us-west-2"]),
        (Effect::Lost, 1, &["eu-central-1", "ap-south-1"]),
        (Effect::Stale { ms: 2000 }, 1000, &["us-east-1"]),
        (denied, 1, &["us-east-2", "ap-northeast-1"]),
    ]
}

#[test]
fn whatever_goes_wrong_with_whatever_call_it_converges_without_duplicates() {
    let beach = Beach::without_hosts();
    thread::scope(|scope| {
        for (effect, times, regions) in ways() {
            for (part, region) in regions.iter().enumerate() {
                let actions = ACTIONS.into_iter().skip(part).step_by(regions.len());
                let (beach, effect) = (&beach, effect.clone());
                scope.spawn(move || {
                    life(beach, &effect, times, region, &actions.collect::<Vec<_>>());
                });
            }
        }
    });
    let mut missing: Vec<_> = ACTIONS.to_vec();
    let calls = beach.calls();
    missing.retain(|action| !calls.contains(&format!("ec2:{action}")));
    // No rule was too much, so none was taken away.
    assert_eq!(missing, ["RevokeSecurityGroupIngress"], "never called");
}

fn life(beach: &Beach, effect: &Effect, times: u32, region: &'static str, actions: &[&str]) {
    let stack = format!("in-{region}");
    let file = format!("{region}.yml");
    let node = NODE
        .replace("stack: life", &format!("stack: {stack}"))
        .replace("region: eu-west-1", &format!("region: {region}"))
        .replace("life.pem", &format!("{region}.pem"));
    beach.write(&file, &node);
    let strike = || {
        for action in actions {
            beach.fault(Fault {
                service: Some("ec2".to_owned()),
                action: Some((*action).to_owned()),
                region: Some(region.to_owned()),
                after: 0,
                times,
                effect: effect.clone(),
            });
        }
    };
    let until_done = |verb: &str| {
        let args = [verb, &file, "--sandbox", "--yes", "--receipt", "r.json"];
        let args = &args[..if verb == "destroy" { 6 } else { 4 }];
        let receipt = format!("{region}.json");
        let args: Vec<&str> = args
            .iter()
            .map(|arg| if *arg == "r.json" { &receipt } else { *arg })
            .collect();
        // A refusal strikes one action after the other: each run gets further than the last.
        for _ in 0..ACTIONS.len() {
            let ended = beach.run(&args);
            assert!(
                ended.code == Some(0) || ended.stderr.contains("error"),
                "{effect:?} {verb}: {:?} {}{}",
                ended.code,
                ended.stdout,
                ended.stderr
            );
            if ended.code == Some(0) {
                return;
            }
        }
        panic!("{effect:?}: {verb} does not converge");
    };
    strike();
    until_done("apply");
    assert_eq!(beach.census(region), [1, 1, 1, 1], "{effect:?}");
    beach.expect(0, &["plan", &file, "--sandbox"]);
    strike();
    until_done("destroy");
    assert_eq!(beach.census(region), [0, 0, 0, 0], "{effect:?}");
    let receipt = std::fs::read_to_string(beach.folder().join(format!("{region}.json"))).unwrap();
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["proven"], true, "{effect:?}: {receipt}");
}
