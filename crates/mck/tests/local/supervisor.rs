//! The control plane may die at any instant: nothing is lost, no request fails.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mck_local::wait;
use rustix::process::Signal;

use crate::support::{File, Load, Store, add_token, kill, tokens};

/// The containers of the example shop with two tasks.
const CONTAINERS: usize = 17;

/// An instant of an `up` that takes some 2 s: the whole of it is covered, each time elsewhere.
fn instant(index: u64, of: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let within = Duration::from_millis(2_000) / u32::try_from(of).unwrap();
    within * u32::try_from(index).unwrap() + within.mul_f64(f64::from(now.subsec_nanos()) / 1e9)
}

/// Kills the supervisor in the midst of an `up`; another `up` must end well.
fn up_cut_short(store: &Store, after: Duration) {
    let up = store.start(&["up"]);
    wait::pause(after);
    if let Some(pid) = store.supervisor() {
        kill(pid);
    }
    let cut = up.finish();
    let again = store.mck(&["up"]);
    assert_eq!(
        again.code,
        Some(0),
        "killed after {after:?}\n{cut:#?}\n{again:#?}\n{}\n{}",
        store.mck(&["events"]).out,
        store.last_words()
    );
    whole(store, &format!("killed after {after:?}"));
}

/// All is there, once, and answers.
fn whole(store: &Store, when: &str) {
    store.wait_for(when, |status| {
        status["apps"][0]["tasks"].as_array().unwrap().len() == 2
    });
    let pids = store.pids();
    assert_eq!(pids.len(), CONTAINERS, "{when}: {pids:?}");
    for (container, pid) in &pids {
        let runs = std::fs::exists(format!("/proc/{pid}")).unwrap();
        assert!(runs, "{when}: {container} does not run");
    }
    let mut visitor = store.visitor("shop");
    visitor.get("/").expect(200);
    visitor.get("/health_check.php").expect(200);
}

#[test]
fn killed_while_it_comes_up_from_nothing() {
    let store = Store::new("sv-new", File::Storefront(""));
    for index in 0..5 {
        up_cut_short(&store, instant(index, 5));
        assert!(add_token(&mut store.visitor("shop"), "it-works"));
        store.destroy();
    }
}

#[test]
fn killed_while_it_comes_up_again() {
    let store = Store::storefront("sv-again");
    assert!(add_token(&mut store.visitor("shop"), "before"));
    for index in 0..5 {
        store.mck(&["stop"]).good();
        up_cut_short(&store, instant(index, 5) / 2);
        assert_eq!(tokens(&mut store.visitor("shop")), ["before"]);
    }
}

#[test]
fn killed_at_rest_and_under_load() {
    let store = Store::storefront("sv-load");
    let pids = store.pids();
    let load = Load::on(&store, "/");
    let uncached = Load::on(&store, "/catalog/random");
    for _ in 0..3 {
        wait::pause(Duration::from_millis(300));
        kill(store.supervisor().unwrap());
        wait::pause(Duration::from_millis(700));
        store.mck(&["status"]).failed(9);
        store.up();
        assert_eq!(store.pids(), pids, "the next one adopts what runs");
    }
    wait::pause(Duration::from_millis(500));
    load.stop().assert_no_failure();
    uncached.stop().assert_no_failure();
    let status = store.status();
    let components = status["components"].as_array().unwrap();
    assert!(
        components.iter().all(|it| it["restarts"] == 0),
        "{status:#}"
    );
    a_task_that_died_meanwhile_is_replaced(&store);
}

/// What happens while no supervisor looks is seen by the next one.
fn a_task_that_died_meanwhile_is_replaced(store: &Store) {
    kill(store.supervisor().unwrap());
    let task = store.tasks_without_supervisor().remove(0);
    kill(store.pids()[&format!("{task}.php-fpm")]);
    kill(store.pids()["redis-cache-1"]);
    wait::pause(Duration::from_millis(200));
    let before = store.pids();
    store.up();
    whole(store, "two containers died while no supervisor ran");
    assert_ne!(store.pids()["redis-cache-1"], before["redis-cache-1"]);
}

#[test]
fn interrupted_by_the_user() {
    let store = Store::new("ctrl-c", File::Storefront(""));
    let up = store.start(&["up"]);
    let begun = wait::until(Duration::from_secs(20), || store.supervisor());
    up.signal(Signal::INT);
    let up = up.finish().failed(130);
    assert!(up.took < Duration::from_secs(2), "{up:#?}");
    assert_eq!(
        store.supervisor(),
        begun,
        "the environment goes on coming up"
    );
    store.up();
    whole(&store, "interrupted");
}

#[test]
fn two_ups_at_once_both_end_well() {
    let store = Store::new("two-ups", File::Storefront(""));
    let ups = [(); 3].map(|()| store.start(&["up"]));
    let codes = ups.map(|up| up.finish()).map(|up| {
        let code = up.code.unwrap();
        if code != 0 {
            up.failed(8).telling("another command works on");
        }
        code
    });
    assert!(codes.contains(&0), "{codes:?}");
    whole(&store, "several at once");
    let detached = store.mck(&["up", "--detach"]);
    assert!(detached.took < Duration::from_millis(500), "{detached:#?}");
    detached.good();
}
