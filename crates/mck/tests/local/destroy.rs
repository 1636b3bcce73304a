//! `mck destroy` leaves nothing, whatever was there.

use std::time::Duration;

use mck_local::wait;

use crate::support::{File, Store, everything_of, kill, processes};

fn gone(store: &Store) {
    let destroyed = store.destroy();
    assert!(destroyed.took < Duration::from_secs(20), "{destroyed:#?}");
    everything_of(store).assert_none();
}

/// For a moment `up` has the environment for itself; then `destroy` says so.
fn gone_in_the_midst(store: &Store) {
    let free = wait::until(Duration::from_secs(20), || {
        let destroyed = store.mck(&["destroy", "--yes"]);
        match destroyed.code {
            Some(0) => Some(()),
            _ => {
                destroyed.failed(8).telling("another command works on");
                wait::pause(Duration::from_millis(50));
                None
            }
        }
    });
    free.unwrap();
}

#[test]
fn of_what_runs_is_stopped_was_killed_or_comes_up() {
    let store = Store::new("destroy", File::Storefront(""));
    let before = everything_of(&store);
    before.assert_none();

    store.up();
    let running = everything_of(&store);
    assert!(running.namespaces.len() > 20, "{running:#?}");
    assert!(running.processes.len() > 20, "{running:#?}");
    assert!(
        running.cgroups.len() > 3 && running.mounts.len() > 20,
        "{running:#?}"
    );
    store.mck(&["destroy"]).failed(2).telling("--yes");
    gone(&store);
    store.mck(&["destroy", "--yes"]).good();
    store.mck(&["status"]).failed(9);

    store.up();
    store.mck(&["stop"]).good();
    gone(&store);

    for after in [100, 400, 800, 1_300] {
        let up = store.start(&["up"]);
        wait::pause(Duration::from_millis(after));
        gone_in_the_midst(&store);
        let up = up.finish();
        assert_ne!(up.code, Some(0), "what it waited for was removed: {up:#?}");
        everything_of(&store).assert_none();
    }

    store.up();
    for pid in processes(&store.id, store.top()).into_keys() {
        kill(pid);
    }
    gone(&store);

    let up = store.start(&["up"]);
    wait::pause(Duration::from_millis(700));
    for pid in processes(&store.id, store.top()).into_keys() {
        kill(pid);
    }
    up.finish();
    gone(&store);

    store.up();
    let text = std::fs::read_to_string(store.file()).unwrap();
    std::fs::remove_file(store.file()).unwrap();
    let elsewhere = format!("{}/magecloudkit.toml", store.folder.display());
    store
        .mck(&["destroy", "--yes", "--file", &elsewhere])
        .good();
    everything_of(&store).assert_none();
    store.write(&text);
}
