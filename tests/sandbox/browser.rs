//! A real browser, without a screen: Chromium, as `scripts/setup.sh` installs it.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::patience;

const NAMES: [&str; 3] = ["chromium-headless-shell", "chromium", "google-chrome"];
/// What a page's scripts do is there by then.
const PATIENCE: Duration = Duration::from_mins(2);
/// The browser is begun again when a page takes it longer.
const PAGE: Duration = Duration::from_secs(30);

/// The browser, told to do nothing but what it is asked.
fn browser(profile: &Path) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let installed = |name: &&&str| folders.iter().any(|folder| folder.join(name).is_file());
    let name = NAMES.iter().find(installed);
    let name = name.expect("a browser: run `make setup`");
    let mut browser = Command::new(name);
    browser.args(["--headless", "--no-sandbox", "--disable-gpu"]);
    browser.arg("--hide-scrollbars");
    // Nothing but the page: no updates, no word home.
    browser.args([
        "--disable-background-networking",
        "--disable-component-update",
    ]);
    browser.args(["--disable-sync", "--no-first-run", "--disable-quic"]);
    browser.arg(format!("--user-data-dir={}", profile.display()));
    browser
}

fn run(arguments: &[&str]) -> String {
    let profile = TempDir::new().unwrap();
    let mut browser = browser(profile.path());
    browser.arg("--virtual-time-budget=5000");
    // The budget stands still while the page fetches something: that ends, too.
    browser.arg("--timeout=10000");
    let done = patience::output_within(PAGE, browser.args(arguments));
    match done {
        Ok(done) if done.status.success() => String::from_utf8(done.stdout).unwrap(),
        Ok(done) => panic!("{}", String::from_utf8_lossy(&done.stderr)),
        Err(said) => format!("nothing within {PAGE:?}: {said}"),
    }
}

/// The document of a page as its scripts have left it, once it has all of these parts.
#[track_caller]
pub(crate) fn sees(url: &str, parts: &[&str]) {
    let begun = Instant::now();
    loop {
        let document = run(&["--dump-dom", url]);
        let missing = parts.iter().find(|part| !document.contains(**part));
        let Some(missing) = missing else { return };
        assert!(
            begun.elapsed() < PATIENCE,
            "no `{missing}` on {url}: {document}"
        );
    }
}

/// A picture of a page, PNG.
pub(crate) fn picture(url: &str, path: &Path) {
    let to = format!("--screenshot={}", path.display());
    run(&[&to, "--window-size=900,700", url]);
}

/// A page that stays open, with its websockets: asked and pictured as it changes.
pub(crate) struct Page {
    process: Child,
    runtime: Runtime,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    asked: u64,
    _profile: TempDir,
}

impl Page {
    #[track_caller]
    pub(crate) fn open(url: &str) -> Self {
        let profile = TempDir::new().unwrap();
        let mut browser = browser(profile.path());
        browser.args(["--remote-debugging-port=0", "--window-size=1280,760", url]);
        let process = browser.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut process = process.unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let begun = Instant::now();
        let socket = loop {
            if let Some(socket) = runtime.block_on(page_of(profile.path())) {
                break socket;
            }
            if begun.elapsed() > PAGE {
                let _ = process.kill();
                panic!("the browser opens no page");
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        Self {
            process,
            runtime,
            socket,
            asked: 0,
            _profile: profile,
        }
    }

    /// Calls a method of the `DevTools` protocol.
    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        let text = json!({ "id": id, "method": method, "params": params }).to_string();
        let socket = &mut self.socket;
        let answered = async move {
            socket.send(Message::text(text)).await.unwrap();
            loop {
                let message = socket.next().await.unwrap().unwrap();
                let Ok(text) = message.to_text() else {
                    continue;
                };
                let answer: Value = serde_json::from_str(text).unwrap_or_default();
                if answer["id"] == id {
                    return answer["result"].clone();
                }
            }
        };
        let answer = self
            .runtime
            .block_on(async { tokio::time::timeout(PAGE, answered).await });
        answer.expect("the browser answers")
    }

    /// What a line of its own language comes to.
    pub(crate) fn value(&mut self, script: &str) -> Value {
        let params = json!({ "expression": script, "returnByValue": true });
        let answer = self.call("Runtime.evaluate", &params);
        answer["result"]["value"].clone()
    }

    /// Waits until a line of its own language comes to what is wanted.
    #[track_caller]
    pub(crate) fn comes_to(&mut self, script: &str, wanted: &Value) {
        let begun = Instant::now();
        loop {
            let value = self.value(script);
            if value == *wanted {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "`{script}` is {value} and not {wanted}"
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A picture of it, PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        STANDARD.decode(answer["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The socket of the browser's page, once it is there.
async fn page_of(profile: &Path) -> Option<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let noted = std::fs::read_to_string(profile.join("DevToolsActivePort")).ok()?;
    let pages = format!("http://127.0.0.1:{}/json", noted.lines().next()?);
    let pages: Value = reqwest::get(pages).await.ok()?.json().await.ok()?;
    let page = pages.as_array()?.iter().find(|it| it["type"] == "page")?;
    let socket = connect_async(page["webSocketDebuggerUrl"].as_str()?).await;
    Some(socket.ok()?.0)
}
