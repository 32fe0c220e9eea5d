//! `tidewalk new NAME`: bundled playbooks and apps, laid out to be used and changed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn tidewalk(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewalk"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", "/nonexistent")
        .stdin(Stdio::null())
        .output()
        .expect("the binary starts")
}

#[track_caller]
fn says(folder: &Path, code: i32, arguments: &[&str]) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = tidewalk(folder, arguments);
    let stdout = String::from_utf8(stdout).unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{arguments:?}\n{stdout}{stderr}");
    (stdout, stderr)
}

#[test]
fn a_playbook_is_laid_out_with_its_apps_and_is_fine_where_it_is() {
    let (listed, _) = says(Path::new("."), 0, &["new"]);
    for name in ["data-server", "btc-api", "crypto-stream", "price-jobs"] {
        assert!(listed.contains(&format!("  {name} ")), "{listed}");
    }
    for (name, vars) in [
        ("data-server", &["admin_cidr=me"][..]),
        ("btc-api", &[]),
        (
            "crypto-stream",
            &["admin_cidr=me", "streamer=/bin/true", "program=/bin/true"],
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        let (laid, next) = says(folder, 0, &["new", name]);
        assert!(
            laid.lines().all(|path| folder.join(path).is_file()),
            "{laid}"
        );
        assert!(next.contains(&format!("{name}.yml")), "{next}");
        // What its first lines say to type is meant for this folder.
        let text = fs::read_to_string(folder.join(format!("{name}.yml"))).unwrap();
        assert!(!text.contains("playbooks/"), "{text}");
        let schema = text.lines().next().unwrap().split("$schema=").nth(1);
        assert!(folder.join(schema.unwrap()).is_file(), "{schema:?}");
        let file = format!("{name}.yml");
        let vars = vars.iter().flat_map(|var| ["--var", var]);
        let check: Vec<&str> = ["check", &file].into_iter().chain(vars).collect();
        says(folder, 0, &check);
    }
}

#[test]
fn an_app_is_laid_out_whole_and_its_scripts_can_be_run() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    says(folder, 0, &["new", "price-jobs", "--into", "jobs"]);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks/apps/price-jobs");
    let laid = folder.join("jobs/price-jobs");
    for name in ["jobs.yml", "README.md", "R/slack.R", "cache-prices.R"] {
        let wanted = fs::read(here.join(name)).unwrap();
        assert_eq!(fs::read(laid.join(name)).unwrap(), wanted, "{name}");
        let mode = fs::metadata(laid.join(name)).unwrap().permissions().mode();
        assert_eq!(
            mode & 0o111 != 0,
            name == "cache-prices.R",
            "{name}: {mode:o}"
        );
    }
}

#[test]
fn nothing_that_is_there_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    says(folder, 0, &["new", "treemap"]);
    // All of it is there, as it would be.
    assert_eq!(says(folder, 0, &["new", "treemap"]).0, "");

    fs::write(folder.join("treemap/app.R"), "mine").unwrap();
    fs::remove_file(folder.join("treemap/README.md")).unwrap();
    let (_, said) = says(folder, 1, &["new", "treemap"]);
    assert!(
        said.contains("treemap/app.R would be overwritten, so nothing was written"),
        "{said}"
    );
    assert_eq!(fs::read(folder.join("treemap/app.R")).unwrap(), b"mine");
    assert!(!folder.join("treemap/README.md").exists());
    let (_, said) = says(folder, 2, &["new", "treemop"]);
    assert!(said.contains("did you mean `treemap`?"), "{said}");
}
