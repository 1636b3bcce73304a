//! A disk that becomes full.

use std::{fs, process::Command, time::Duration};

use mck_local::wait;

use crate::support::{File, Load, Store, add_token, everything_of, run, tokens};

/// As large as is asked for at the start.
const MIB: u32 = 1_200;

/// Takes all that is left of the state folder's disk: most of it at once, so that what comes up
/// meanwhile does not get there first.
fn fill(store: &Store) -> std::path::PathBuf {
    let path = store.state.join("ballast");
    let mut large = Command::new("fallocate");
    run(large.arg("--length=600M").arg(&path)).with_code(0);
    let mut dd = Command::new("dd");
    dd.args(["if=/dev/zero", "bs=1M", "status=none"]);
    dd.args(["oflag=append", "conv=notrunc"]);
    dd.arg(format!("of={}", path.display()));
    let full = run(&mut dd).with_code(1);
    assert!(full.err.contains("No space left"), "{full:#?}");
    path
}

#[test]
fn full_while_it_runs_and_while_it_comes_up() {
    let mut store = Store::new("disk", File::Storefront(""));
    store.mount_state(MIB);
    store.up();
    let mut visitor = store.visitor("shop");
    assert!(add_token(&mut visitor, "before"));
    let ballast = fill(&store);
    let load = Load::on(&store, "/");
    wait::pause(Duration::from_secs(1));
    load.stop().assert_no_failure();
    store.mck(&["secret", "list"]).good();
    store.mck(&["up"]).failed(7).telling("free some");

    fs::remove_file(ballast).unwrap();
    store.up();
    store.wait_for("there is room again", |_| true);
    assert!(add_token(&mut visitor, "afterwards"));
    assert_eq!(tokens(&mut visitor), ["before", "afterwards"]);
    store.destroy();
    everything_of(&store).assert_none();

    let up = store.start(&["up"]);
    wait::pause(Duration::from_millis(400));
    let ballast = fill(&store);
    let up = up.finish();
    up.failed(7).telling("free some");
    fs::remove_file(ballast).unwrap();
    store.up();
    store.visitor("shop").get("/").expect(200);
}
