//! Several runs of `stream consume` on one stream: who has which shard, and who may say how far it is.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::Beach;
use crate::lives::reading::look;
use crate::patience;

const STACK: &str = "stack: crypto
region: eu-west-1
streams: { crypto: { shards: 2 } }
tables: { readers: { partition_key: { name: leaseKey, type: string } } }
";

/// After which a worker that says nothing is taken for gone.
const FAILOVER: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs of one program, by their names.
struct Consumers {
    beach: Beach,
    runs: Vec<(&'static str, Child)>,
}

impl Consumers {
    fn new() -> Self {
        let beach = Beach::without_hosts();
        beach.write("site.yml", STACK);
        beach.expect(0, &["apply", "site.yml", "--sandbox", "--yes"]);
        beach.write("told.log", "");
        Self {
            beach,
            runs: Vec::new(),
        }
    }

    fn start(&mut self, name: &'static str) {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = here.join("tests/sandbox/consumers/program.py");
        let properties = format!(
            "executableName = python3 {} {name}\nstreamName = crypto\napplicationName = readers\n\
             workerId = {name}\ninitialPositionInStream = TRIM_HORIZON\n\
             failoverTimeMillis = {}\nidleTimeBetweenReadsInMillis = 250\n",
            program.display(),
            FAILOVER.as_millis()
        );
        let file = format!("{name}.properties");
        self.beach.write(&file, &properties);
        let log = fs::File::create(self.beach.folder().join(format!("{name}.log"))).unwrap();
        let mut run = self
            .beach
            .command(&["stream", "consume", &file, "--sandbox"]);
        run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.runs.push((name, run.spawn().unwrap()));
    }

    fn signal(&self, name: &str, signal: &str) {
        let (_, run) = self.runs.iter().find(|(run, _)| *run == name).unwrap();
        let id = run.id().to_string();
        let sent = patience::output(Command::new("kill").args([signal, &id]));
        assert!(sent.status.success());
    }

    /// Puts a record into each shard, and tells which: keys that MD5 sends to either half.
    fn put(&self, text: &str) {
        for key in ["a", "b"] {
            let put = ["stream", "put", "crypto", text, "--key", key, "--sandbox"];
            self.beach.expect(0, &put);
        }
    }

    fn told(&self) -> String {
        fs::read_to_string(self.beach.folder().join("told.log")).unwrap()
    }

    /// How many lines of the log are so.
    fn count(&self, so: &str) -> usize {
        self.told().lines().filter(|line| line.contains(so)).count()
    }

    /// How many of them are of one run's programs.
    fn of(&self, name: &str, so: &str) -> usize {
        let told = self.told();
        let lines = told.lines().filter(|line| line.starts_with(name));
        lines.filter(|line| line.contains(so)).count()
    }

    #[track_caller]
    fn until(&self, what: &str, so: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !so(self) {
            let said = ["a", "b"].map(|name| {
                let log = self.beach.folder().join(format!("{name}.log"));
                format!("{name}:\n{}", fs::read_to_string(log).unwrap_or_default())
            });
            assert!(
                Instant::now() < deadline,
                "{what}\n{}\n{}",
                self.told(),
                said.concat()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Consumers {
    fn drop(&mut self) {
        for (_, run) in &mut self.runs {
            let _ = run.kill();
            let _ = run.wait();
        }
    }
}

#[test]
fn shards_are_shared_kept_and_taken_over_and_who_lost_one_changes_nothing() {
    let mut all = Consumers::new();
    all.start("a");
    all.until("one run has both", |all| all.of("a", "begun") == 2);
    all.start("b");
    all.until("the other gets one of them", |all| {
        all.of("b", "begun") == 1 && all.of("a", "leaseLost") == 1
    });

    // Both are alive, and say so: for longer than either is waited for, nothing changes hands.
    std::thread::sleep(FAILOVER * 2);
    assert_eq!(all.count("begun"), 3, "{}", all.told());
    all.put("first");
    all.until("each has its own records", |all| {
        all.of("a", "made") == 1 && all.of("b", "made") == 1
    });
    all.until("and may not say that it is elsewhere", |all| {
        all.count("checkpoint IllegalArgumentException") == 4
    });

    // One has a batch in its hands while it stands still for too long.
    all.beach.write("hold-b", "");
    all.put("second");
    all.until("both have theirs", |all| all.count("record second") == 2);
    all.signal("b", "-STOP");
    all.until("the other takes over what was not done", |all| {
        all.of("a", "record second") == 2
    });
    all.put("third");
    all.until("and goes on with it", |all| {
        all.of("a", "record third") == 2 && all.of("a", "made") == 5
    });
    let before = table(&all.beach, "checkpoint.S");
    fs::remove_file(all.beach.folder().join("hold-b")).unwrap();
    all.signal("b", "-CONT");
    all.until("its checkpoint is refused, and its program told", |all| {
        all.of("b", "checkpoint ShutdownException") == 1 && all.of("b", "leaseLost") == 1
    });
    // It comes back to one shard, behind what the other has done.
    all.until("it gets one again", |all| all.of("b", "begun") == 2);
    assert_eq!(table(&all.beach, "checkpoint.S"), before, "{}", all.told());
    all.put("fourth");
    all.until("both have theirs again", |all| {
        all.count("record fourth") == 2
    });
    let times = ["first", "second", "third"].map(|text| all.count(&format!("record {text}")));
    assert_eq!(times, [2, 3, 2], "{}", all.told());

    // An end in order gives the shard back: nobody waits for it to run out.
    all.signal("b", "-TERM");
    let (_, run) = all.runs.iter_mut().find(|(run, _)| *run == "b").unwrap();
    assert!(patience::wait(run).success());
    assert_eq!(all.of("b", "shutdownRequested"), 1);
    let owners = table(&all.beach, "leaseOwner.S");
    assert!(owners.iter().all(|owner| owner != "b"), "{owners:?}");
    all.until("the other has both", |all| all.of("a", "begun") == 4);
}

/// One column of the table, in the order of the shards; empty where there is none.
fn table(beach: &Beach, column: &str) -> Vec<String> {
    let at = format!("sort_by(Items, &leaseKey.S)[].not_null({column}, '')");
    let with = json!({ "TableName": "readers" });
    let rows = look(beach.endpoint(), "dynamodb.scan", &with, &at);
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row.as_str().unwrap().to_owned()).collect()
}
