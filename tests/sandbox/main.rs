//! Tests on the sandbox: the emulator over HTTP, real hosts where Docker is there.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test may stop where its ground is missing"
)]

/// One test `$test(kind)` per kind, and one that no kind of the account is left out.
macro_rules! per_kind {
    ($test:ident, $all:ident: $($kind:ident,)*) => {
        $(#[test]
        fn $kind() {
            $test(stringify!($kind));
        })*

        #[test]
        fn $all() {
            let tested = [$(stringify!($kind)),*];
            let kinds = tidewalk::resources::registry().into_iter();
            let kinds = kinds.filter(|kind| kind.stage() == tidewalk::contract::Stage::Account);
            let kinds = kinds.map(|kind| kind.name());
            let missing: Vec<_> = kinds.filter(|name| !tested.contains(name)).collect();
            assert!(missing.is_empty(), "without a test: {missing:?}");
        }
    };
}

mod apps;
mod baked;
mod bootstrap;
mod browser;
mod by_hand;
mod cloud;
mod consumers;
mod crypto_stream;
mod data_server;
mod deploy;
mod discovery;
mod faults_matrix;
mod front;
mod front_door;
mod harness;
mod hosts;
mod images;
mod inventory;
mod job;
mod kills;
mod kinds;
mod life;
mod lives;
mod logs;
mod patience;
mod playbooks;
mod price_jobs;
#[path = "apps/r.rs"]
mod r;
mod replaced;
mod rollback;
mod run_command;
mod secret;
mod setups;
#[path = "../stage/mod.rs"]
mod stage;
mod stand_ins;
mod stream;
