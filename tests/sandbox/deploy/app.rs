//! A small service, for an image that holds nothing but it: `rustc -C target-feature=+crt-static`.
//!
//! `/stats` says that it is well, `/report` what it is, `/slow` the same after half a second.
//! MODE is `well`, `crash` (ends with 3 after a few lines), `hungry` (takes 200 MiB) or `lost` (`/stats` is
//! nowhere).

use std::env::var;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

unsafe extern "C" {
    fn signal(number: i32, handler: extern "C" fn(i32)) -> usize;
    fn _exit(code: i32) -> !;
}

/// The first process of a container ends at SIGTERM only if it says so.
extern "C" fn end(_: i32) {
    unsafe { _exit(0) }
}

fn main() {
    unsafe { signal(15, end) };
    let mode = var("MODE").unwrap_or_default();
    let version = std::fs::read_to_string("/version").unwrap_or_default();
    println!("version {} starts, {mode}", version.trim());
    if mode == "crash" {
        println!("reading the prices");
        eprintln!("Error in prices: the exchange is closed");
        sleep(Duration::from_millis(300));
        std::process::exit(3);
    }
    if mode == "hungry" {
        let all: Vec<u8> = (0..200 << 20).map(|at| at as u8).collect();
        println!("{}", all.iter().map(|it| u64::from(*it)).sum::<u64>());
    }
    let token = var("TOKEN").unwrap_or_default();
    let report = format!("Bitcoin report, version {}, token {token}\n", version.trim());
    let listener = TcpListener::bind("0.0.0.0:8000").unwrap();
    for stream in listener.incoming().flatten() {
        let report = report.clone();
        let stats = mode != "lost";
        spawn(move || answer(stream, &report, stats));
    }
}

fn answer(mut stream: TcpStream, report: &str, stats: bool) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let path = first.split(' ').nth(1)?;
    let (status, body) = match path {
        "/stats" if stats => ("200 OK", "well\n"),
        "/report" => ("200 OK", report),
        "/slow" => {
            sleep(Duration::from_millis(500));
            ("200 OK", report)
        }
        _ => ("404 Not Found", "there is no such page\n"),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .ok()
}
