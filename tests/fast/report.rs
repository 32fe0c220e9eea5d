//! Whole texts, as a person reads them.

use std::time::Duration;

use anstream::adapter::strip_str;
use tidewalk::base::secret::remember;
use tidewalk::base::{Address, Cost, Diff, Error, Location, Shown, Source};
use tidewalk::engine::{
    Action, Bill, Event, Line, Listing, Outcome, Plan, Receipt, Status, StatusRow, Step, StepPart,
    Verdict,
};
use tidewalk::report::{self, Purpose};

use crate::expected::assert_matches;

const WIDTH: usize = 80;

fn matches(name: &str, styled: &str) {
    assert_matches(
        format!("tests/cases/report/{name}.txt"),
        &strip_str(styled).to_string(),
    );
}

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn step(name: &str, action: Action, id: Option<&str>, diff: Diff) -> Step {
    let mut step = Step::new(address(name), action);
    step.id = id.map(str::to_owned);
    step.diff = diff;
    step
}

/// Costs a month once it is done, and now.
fn costs(step: &mut Step, usd: f64, now: f64) {
    step.cost = Cost::of_item("ec2/x", usd, "2026-09");
    step.cost_now = Some(Cost::of(now));
}

fn stack(steps: Vec<Step>, checks: usize) -> Plan {
    Plan {
        stack: "de3".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "123456789012".to_owned(),
        steps,
        checks,
        ..Plan::default()
    }
}

fn new_file() -> String {
    let lines: Vec<_> = (1..=40).map(|number| format!("+line {number}")).collect();
    lines.join("\n")
}

fn host_changes() -> Diff {
    let diff =
        "--- now\n+++ wanted\n@@ -1,3 +1,3 @@\n server {\n-  listen 80;\n+  listen 8080;\n }\n";
    Diff::default()
        .field(
            "packages nginx, redis-server",
            Shown::of("redis-server missing"),
            Shown::of("installed"),
        )
        .field(
            "file /etc/nginx/sites-available/default",
            Shown::Absent,
            Shown::Block(diff.to_owned()),
        )
        .field("file /etc/motd", Shown::Absent, Shown::Block(new_file()))
        .field("file /etc/secret", Shown::of("other"), Shown::Hidden)
        .interrupting(
            "service nginx",
            Shown::of("stopped"),
            Shown::of("running, enabled"),
            "reloads nginx",
        )
}

fn changes() -> Plan {
    let group = Diff::default()
        .field(
            "description",
            Shown::Absent,
            Shown::of("Data server behind Nginx"),
        )
        .field(
            "ingress",
            Shown::Absent,
            Shown::list([
                "tcp 22 from 203.0.113.7/32 (admin)",
                "tcp 80 from 0.0.0.0/0",
                "tcp 443 from 0.0.0.0/0",
                "tcp 8787 from 10.0.0.0/8",
            ]),
        )
        .field("id", Shown::Absent, Shown::AfterApply);
    let server = Diff::default()
        .interrupting(
            "instance_type",
            Shown::of("t3a.small"),
            Shown::of("t3a.medium"),
            "stops and starts the instance",
        )
        .field("root_volume.size_gib", Shown::of(20), Shown::of(30))
        .field(
            "tags",
            Shown::of("Class=DE3, Owner=ada"),
            Shown::of("Class=DE3, Owner=grace, Purpose=teaching, Team=data"),
        );
    let worker = Diff::default()
        .fixed(
            "ami",
            Shown::of("ami-0abc (ubuntu 20.04)"),
            Shown::of("ami-0def (ubuntu 22.04)"),
        )
        .fixed("key_pair", Shown::of("de2"), Shown::AfterApply);
    let mut worker = step(
        "instances.worker[a]",
        Action::Replace,
        Some("i-0aaa"),
        worker,
    );
    costs(&mut worker, 30.41, 15.2);
    worker.parts = vec![StepPart {
        noun: "volume".to_owned(),
        id: "vol-1".to_owned(),
    }];
    let mut old = step(
        "elastic_ips.old",
        Action::Delete,
        Some("eipalloc-12"),
        Diff::default(),
    );
    old.reason = Some("no longer in the playbook".to_owned());
    costs(&mut old, 0.0, 3.65);
    stack(
        vec![
            step("security_groups.de3", Action::Create, None, group),
            step(
                "instances.server",
                Action::Update,
                Some("i-0123456789abcdef0"),
                server,
            ),
            worker,
            step(
                "hosts.server",
                Action::Update,
                Some("i-0123456789abcdef0"),
                host_changes(),
            ),
            step(
                "key_pairs.de3",
                Action::Nothing,
                Some("key-1"),
                Diff::default(),
            ),
            old,
        ],
        2,
    )
}

fn destruction() -> Plan {
    let mut server = step(
        "instances.server",
        Action::Delete,
        Some("i-0123"),
        Diff::default(),
    );
    server.parts = vec![
        StepPart {
            noun: "volume".to_owned(),
            id: "vol-1".to_owned(),
        },
        StepPart {
            noun: "network interface".to_owned(),
            id: "eni-1".to_owned(),
        },
    ];
    let mut kept = step(
        "instances.db",
        Action::Keep,
        Some("i-0777"),
        Diff::default(),
    );
    kept.reason = Some("protect: true".to_owned());
    let group = step(
        "security_groups.de3",
        Action::Delete,
        Some("sg-1"),
        Diff::default(),
    );
    costs(&mut server, 0.0, 17.53);
    stack(vec![server, group, kept], 0)
}

fn playbook() -> std::sync::Arc<Source> {
    Source::new(
        "playbooks/site.yml",
        "stack: site\nsecurity_groups:\n  web: { descr: Front door }\n\tport: 80\n",
    )
}

fn receipt(last: Verdict) -> Receipt {
    let line = |name: &str, noun: &str, id: &str, verdict: Verdict| Line {
        address: Some(address(name)),
        noun: noun.to_owned(),
        id: id.to_owned(),
        verdict,
    };
    Receipt {
        stack: "de3".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        when: "2026-11-24T09:12:03.123456Z".to_owned(),
        lines: vec![
            line("instances.server", "instance", "i-0123", Verdict::Absent),
            line("instances.server", "volume", "vol-1", Verdict::Absent),
            line("security_groups.de3", "security group", "sg-1", last),
        ],
        listings: vec![Listing {
            what: "instances by tag tidewalk:stack".to_owned(),
            verdict: Verdict::Absent,
        }],
        ..Receipt::default()
    }
}

#[test]
fn an_error_points_at_its_place() {
    let at = Location::new(&playbook(), 3, 10).with_length(5);
    let error = Error::playbook("unknown key `descr`", &at).hint("did you mean `description`?");
    matches("error-at-a-place", &report::error::errors(&[error], WIDTH));
}

#[test]
fn an_error_shows_what_holds_it_and_what_to_do() {
    let at = Location::new(&playbook(), 3, 3).with_length(3);
    let error = Error::failed("security group `web` cannot be deleted yet")
        .at(&at)
        .of(&address("security_groups.web"))
        .code("DependencyViolation")
        .note("held by: eni-77c2 (load balancer site, deleting for 0:48 of 5:00), which goes away by itself")
        .note("held by: sg-9f00 rule sgr-12 (stack `billing`, not ours)")
        .hint("remove sgr-12, or run `tidewalk destroy --keep security_groups.web`");
    matches("error-with-facts", &report::error::errors(&[error], WIDTH));
}

#[test]
fn several_errors_are_counted() {
    let bare = Error::failed("no credentials for AWS were found")
        .of(&address("instances.server"))
        .hint("set AWS_PROFILE, or run `aws sso login`");
    let argument =
        Error::failed("`zone` is not declared under `vars`").at(&Location::nowhere("--var zone"));
    let tab = Error::playbook(
        "a tab cannot indent YAML",
        &Location::new(&playbook(), 4, 1),
    );
    let errors = [
        bare,
        argument,
        tab,
        Error::failed("first line\nsecond line"),
    ];
    matches("errors-several", &report::error::errors(&errors, WIDTH));
}

#[test]
fn errors_of_one_file_name_it_at_the_end() {
    let at = |line| Location::new(&playbook(), line, 1).with_length(5);
    let errors = [
        Error::playbook("one", &at(1)),
        Error::playbook("two", &at(2)),
    ];
    matches("errors-of-one-file", &report::error::errors(&errors, WIDTH));
}

#[test]
fn a_very_long_line_is_shown_around_its_place() {
    let line = format!(
        "{}{{ wrong: here }}{}",
        "a ".repeat(300),
        "é".repeat(5_000_000)
    );
    let source = Source::new("long.yml", line);
    let at = Location::new(&source, 1, 603).with_length(5);
    let text = report::error::errors(&[Error::playbook("unknown key `wrong`", &at)], WIDTH);
    matches("error-on-a-long-line", &text);
}

#[test]
fn a_place_beyond_the_text_is_named_without_a_source_line() {
    let at = Location::new(&playbook(), 99, 7);
    let text = report::error::errors(&[Error::playbook("the file ends too early", &at)], WIDTH);
    matches("error-beyond-the-text", &text);
}

#[test]
fn a_plan_shows_every_change() {
    matches(
        "plan",
        &report::plan::plan(&changes(), Purpose::Apply, WIDTH, false),
    );
}

#[test]
fn a_plan_in_full_cuts_nothing() {
    let text = report::plan::plan(&changes(), Purpose::Apply, WIDTH, true);
    assert!(text.contains("+line 40"));
    assert!(!text.contains("more lines"));
}

#[test]
fn a_narrow_terminal_gets_a_narrow_plan() {
    matches(
        "plan-narrow",
        &report::plan::plan(&changes(), Purpose::Apply, 50, false),
    );
}

#[test]
fn resources_that_differ_in_their_key_only_are_folded() {
    let node = |key: &str, size: &str| {
        let diff = Diff::default()
            .field("instance_type", Shown::Absent, Shown::of(size))
            .field("tags", Shown::Absent, Shown::of(format!("Student={key}")));
        let mut step = step(
            &format!("instances.node[{key}]"),
            Action::Create,
            None,
            diff,
        );
        costs(
            &mut step,
            if size == "t3a.small" { 17.53 } else { 62.21 },
            0.0,
        );
        step.cost = step.cost + Cost::by_use("traffic");
        step
    };
    let gone = |name: &str| step(name, Action::Delete, Some("sg-1"), Diff::default());
    let mut steps: Vec<_> = (1..=30)
        .map(|number| node(&format!("student{number:02}"), "t3a.small"))
        .collect();
    steps.push(node("teacher", "t3a.large"));
    steps.extend([gone("security_groups.a"), gone("security_groups.b")]);
    let mut plan = stack(steps, 0);
    plan.sandbox = true;
    plan.warnings
        .push("6 elastic IPs in eu-west-1 are more than the 5 that AWS allows".to_owned());
    matches(
        "plan-folded",
        &report::plan::plan(&plan, Purpose::Apply, WIDTH, false),
    );
    let full = report::plan::plan(&plan, Purpose::Apply, WIDTH, true);
    assert!(full.contains("instances.node[student30]"), "{full}");
}

#[test]
fn a_plan_without_changes_is_one_sentence() {
    let same = |name: &str| step(name, Action::Nothing, Some("id"), Diff::default());
    let plan = stack(vec![same("key_pairs.de3"), same("instances.server")], 1);
    matches(
        "plan-nothing",
        &report::plan::plan(&plan, Purpose::Apply, WIDTH, false),
    );
}

#[test]
fn a_bill_is_a_table_with_the_dearest_first() {
    let node = |key: &str| {
        let cost = Cost::of_item("ec2/t3a.small", 14.892, "2026-09");
        let disk = Cost::of_item("ebs/gp3", 2.64, "2026-09");
        (
            address(&format!("instances.node[{key}]")),
            cost + disk + Cost::by_use("traffic"),
        )
    };
    let ip = Cost::of_item("ec2/public-ipv4", 3.65, "2026-09");
    let mut lines = vec![
        (address("key_pairs.de3"), Cost::default()),
        (address("elastic_ips.server"), ip),
        (
            address("instances.big"),
            Cost::unknown("ec2/x9.huge in eu-west-1"),
        ),
        (address("topics.news"), Cost::by_use("requests")),
    ];
    lines.extend(["a", "b", "c"].map(node));
    let bill = Bill {
        stack: "de3".to_owned(),
        region: "eu-west-1".to_owned(),
        lines,
        limit: Some(50.0),
    };
    matches("cost", &report::cost::cost(&bill, WIDTH));
    let text = serde_json::to_string_pretty(&bill.to_json()).expect("JSON");
    matches("cost-json", &text);
    let free = Bill {
        lines: vec![(address("key_pairs.de3"), Cost::default())],
        limit: None,
        ..bill
    };
    matches("cost-nothing", &report::cost::cost(&free, WIDTH));
}

#[test]
fn a_destroy_plan_names_what_goes_and_what_stays() {
    matches(
        "plan-destroy",
        &report::plan::plan(&destruction(), Purpose::Destroy, WIDTH, false),
    );
}

#[test]
fn a_plan_document_is_complete() {
    let plan = changes().sealed();
    let text = serde_json::to_string_pretty(&plan.to_json()).expect("JSON");
    matches("plan-json", &text);
}

#[test]
fn a_receipt_proves_or_says_why_not() {
    matches(
        "receipt-proven",
        &report::receipt::receipt(&receipt(Verdict::Absent), WIDTH),
    );
    let held = Verdict::Present("held by eni-7 (load balancer site)".to_owned());
    matches(
        "receipt-present",
        &report::receipt::receipt(&receipt(held), WIDTH),
    );
    let unknown = Verdict::Unknown("AccessDenied: ec2:DescribeSecurityGroups".to_owned());
    matches(
        "receipt-unknown",
        &report::receipt::receipt(&receipt(unknown), WIDTH),
    );
}

#[test]
fn a_receipt_without_a_listing_proves_nothing() {
    let mut receipt = receipt(Verdict::Absent);
    receipt.listings.clear();
    assert!(!receipt.is_proven());
    assert!(report::receipt::receipt(&receipt, WIDTH).contains("Not proven"));
}

#[test]
fn a_receipt_page_is_escaped() {
    let held = Verdict::Present("<script>alert(1)</script>".to_owned());
    let page = report::html::receipt(&receipt(held)).expect("a page");
    assert!(!page.contains("<script>"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
    matches(
        "receipt-html",
        &report::html::receipt(&receipt(Verdict::Absent)).expect("a page"),
    );
}

#[test]
fn progress_lines_are_stable() {
    let elapsed = Duration::from_millis(4100);
    let server = address("instances.server");
    let done = |action| Event::Done {
        address: server.clone(),
        action,
        id: "i-0123".to_owned(),
        elapsed,
    };
    let events = [
        Event::Discovered {
            kind: "instances".to_owned(),
            count: 1,
            elapsed,
        },
        Event::Started {
            address: server.clone(),
            action: Action::Create,
        },
        Event::Doing {
            address: server.clone(),
            what: "waiting for `running`".to_owned(),
        },
        done(Action::Create),
        done(Action::Update),
        done(Action::Replace),
        done(Action::Delete),
        done(Action::Nothing),
        Event::Failed {
            address: server.clone(),
            error: "no capacity".to_owned(),
        },
        Event::Skipped {
            address: address("hosts.server"),
            because: server.clone(),
        },
        Event::CheckPassed {
            address: address("checks.rstudio"),
            elapsed,
        },
        Event::CheckFailed {
            address: address("checks.rstudio"),
            error: "status 502".to_owned(),
        },
        Event::Done {
            address: Address::new(
                "security_groups",
                format!("{}[n34]", "long-name-".repeat(12)),
            ),
            action: Action::Create,
            id: "sg-41f3a78200c1d55e1".to_owned(),
            elapsed: Duration::from_millis(300),
        },
        Event::Note("stopping once the calls in flight are finished".to_owned()),
    ];
    let plain: String = events
        .iter()
        .filter_map(report::progress::plain)
        .map(|line| line + "\n")
        .collect();
    matches("progress-plain", &plain);
    let finished: String = events
        .iter()
        .filter_map(|event| report::progress::finished(event, WIDTH))
        .map(|line| line + "\n")
        .collect();
    matches("progress-terminal", &finished);
    let json: String = events
        .iter()
        .map(|event| {
            report::json::event(event).to_string()
                + "
"
        })
        .collect();
    matches("progress-json", &json);
}

#[test]
fn an_outcome_ends_a_run() {
    let elapsed = Duration::from_secs(64);
    let done = vec![address("key_pairs.de3"), address("security_groups.de3")];
    let all = Outcome {
        done: done.clone(),
        ..Outcome::default()
    };
    let failed = Outcome {
        failed: vec![Error::failed("no capacity").of(&address("instances.server"))],
        done: done.clone(),
        skipped: vec![(address("hosts.server"), address("instances.server"))],
        ..Outcome::default()
    };
    let stopped = Outcome {
        done,
        not_begun: (1..=7)
            .map(|number| Address::new("instances", format!("node{number}")))
            .collect(),
        interrupted: true,
        ..Outcome::default()
    };
    let text: String = [all, failed, stopped]
        .iter()
        .map(|outcome| report::outcome::outcome(outcome, Purpose::Apply, elapsed, WIDTH))
        .collect();
    matches("outcomes", &text);
}

#[test]
fn a_status_is_a_table() {
    let row = |name: &str, id: &str, state: Option<&str>, since: Option<&str>, orphan| StatusRow {
        address: address(name),
        id: id.to_owned(),
        state: state.map(str::to_owned),
        reach: state.map(|_| "203.0.113.9".to_owned()),
        since: since.map(str::to_owned),
        orphan,
    };
    let status = Status {
        stack: "de3".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        owner: Some("ada".to_owned()),
        lease_until: Some("2026-12-01T00:00:00Z".to_owned()),
        rows: vec![
            row("key_pairs.de3", "key-0123", None, None, false),
            row(
                "instances.server",
                "i-0123",
                Some("running"),
                Some("2026-11-23T09:00:00Z"),
                false,
            ),
            row("elastic_ips.old", "eipalloc-1", None, None, true),
        ],
        ..Status::default()
    };
    let now = "2026-11-24T09:12:03Z".parse().expect("a time");
    matches("status", &report::status::status(&status, now, WIDTH));
    let empty = Status {
        rows: Vec::new(),
        ..status
    };
    matches("status-empty", &report::status::status(&empty, now, WIDTH));
}

#[test]
fn a_graph_is_dot_with_a_cluster_for_each_kind() {
    let graph = report::graph::Graph {
        stack: "de\"3".to_owned(),
        nodes: vec![
            address("instances.server"),
            address("key_pairs.de3"),
            address("hosts.server"),
        ],
        edges: vec![
            (address("instances.server"), address("key_pairs.de3")),
            (address("hosts.server"), address("instances.server")),
        ],
    };
    matches("graph", &report::graph::dot(&graph));
}

#[test]
fn every_event_is_documented() {
    let documented = report::json::DOCUMENTATION;
    for name in ["discovered", "check_passed", "error", "receipt"] {
        assert!(documented.contains(&format!("`{name}`")), "{name}");
    }
    let line = report::json::error(&Error::failed("x"));
    for member in line.as_object().expect("an object").keys() {
        assert!(documented.contains(member.as_str()), "{member}");
    }
}

#[test]
fn no_secret_passes() {
    remember("hunter2-report-test");
    let diff = Diff::default().field(
        "user_data",
        Shown::Absent,
        Shown::of("pw=hunter2-report-test"),
    );
    let plan = stack(
        vec![step("instances.server", Action::Create, None, diff)],
        0,
    );
    assert!(!plan.to_json().to_string().contains("hunter2"));
    let error = Error::failed("login with hunter2-report-test failed").note("hunter2-report-test");
    let line = report::json::redacted(report::json::error(&error));
    assert!(!line.to_string().contains("hunter2"), "{line}");
}
