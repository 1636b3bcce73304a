//! Data outlives `mck stop` and the machine's restart.

use std::{fs, process::Command, time::Duration};

use mck_local::wait;

use crate::support::{
    Browser, Store, add_media, add_token, kill, log_in, place_order, processes, read_session,
    remove_cgroups, run, tokens, unmount_below, write_session,
};

/// What must still be there.
struct Kept {
    visitor: Browser,
    media: String,
    password: String,
}

fn leave_something(store: &Store) -> Kept {
    let mut visitor = store.visitor("shop");
    write_session(&mut visitor, "kept");
    assert!(add_token(&mut visitor, "kept"));
    let media = add_media(&mut visitor, b"a picture");
    let thanks = place_order(&mut visitor);
    assert!(thanks.contains("Thank you"), "{thanks}");
    Kept {
        visitor,
        media,
        password: store.secret("shop-admin-password"),
    }
}

fn all_is_there(store: &Store, kept: &mut Kept) {
    assert_eq!(read_session(&mut kept.visitor), "kept");
    assert_eq!(tokens(&mut kept.visitor), ["kept"]);
    let media = kept.visitor.get(&kept.media).expect(200);
    assert_eq!(media.body, b"a picture");
    let mut admin = store.visitor("shop");
    log_in(&mut admin, &kept.password);
    let orders = admin.get("/admin").expect(200).text();
    assert!(orders.contains("visitor@example.com"), "{orders}");
}

#[test]
fn of_the_environment_and_of_the_machine() {
    let store = Store::storefront("restart");
    let mut kept = leave_something(&store);

    store.mck(&["stop"]).good();
    nothing_runs(&store);
    store.mck(&["status"]).failed(9);
    store.mck(&["exec", "--", "true"]).failed(9);
    store.mck(&["stop"]).good();
    let again = store.up();
    assert!(again.took < Duration::from_secs(20), "{again:#?}");
    all_is_there(&store, &mut kept);

    power_off(&store);
    nothing_runs(&store);
    store.up();
    all_is_there(&store, &mut kept);
    assert!(add_token(&mut store.visitor("shop"), "afterwards"));
}

fn nothing_runs(store: &Store) {
    let left = processes(&store.id, store.top());
    assert!(left.is_empty(), "{left:#?}");
}

/// All that a machine loses when its power goes off: processes, namespaces, mounts, control groups,
/// and the number of its last start.
fn power_off(store: &Store) {
    wait::until(Duration::from_secs(10), || {
        let all = processes(&store.id, store.top());
        all.keys().for_each(|pid| kill(*pid));
        all.is_empty().then_some(())
    })
    .unwrap();
    let prefix = store.id.namespace_prefix();
    for entry in fs::read_dir("/run/netns").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with(&prefix) {
            run(Command::new("ip").args(["netns", "delete", &name])).good();
        }
    }
    unmount_below(store.top());
    let removed = wait::until(Duration::from_secs(10), || remove_cgroups(&store.id).ok());
    assert!(removed.is_some(), "{:?}", remove_cgroups(&store.id));
    let other = "00000000-0000-0000-0000-000000000000\n";
    fs::write(store.layout().run().join("boot-id"), other).unwrap();
}
