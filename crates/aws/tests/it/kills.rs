//! Work that is ended by kill -9 at any instant, and begun again.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    stacks::{Lacks, account, apply, assert_fine, environment},
    stand_in::{Kind, beside},
};

/// The color of the environment that the process to be killed makes.
const COLOR: &str = "MCK_TEST_COLOR";
/// How many kills there are.
const KILLS: &str = "MCK_TEST_KILLS";
/// How many there are where nobody says.
const DEFAULT_KILLS: u32 = 5;

/// Not a test by itself: what runs in the process that is killed.
#[test]
#[ignore = "another test runs it in a process of its own"]
fn apply_once() {
    let Ok(color) = std::env::var(COLOR) else {
        return;
    };
    assert_fine(&apply(&account(), &environment(&color, Lacks::default())).0);
}

fn begin(color: &str) -> Child {
    let own = std::env::current_exe().expect("a test knows its program");
    let mut command = Command::new(own);
    command
        .args(["--exact", "kills::apply_once", "--ignored"])
        .env(COLOR, color)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("the test's program runs again")
}

/// A number from 0 up to 1, another one each time.
fn random() -> f64 {
    let number = RandomState::new().hash_one(0_u8) >> 32;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    let number = number as f64;
    number / f64::from(u32::MAX)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "it waits for a random instant")]
fn an_apply_that_is_killed_at_any_instant_is_made_good_by_the_next() {
    let name = "kills::an_apply_that_is_killed_at_any_instant_is_made_good_by_the_next";
    beside(Kind::Ministack, name, || {
        let account = account();
        // The stand-in's first work takes longer than all that comes after it.
        let whole = (0..2).map(|_| measured(&account)).min();
        let whole = whole.expect("there are two");
        let kills = std::env::var(KILLS).map_or(DEFAULT_KILLS, |it| it.parse().expect("a number"));
        let mut unfinished = 0;
        for round in 0..kills {
            // In turn it makes everything, and changes what is there.
            if round % 2 == 0 {
                remove(&account);
            }
            let color = format!("color-{round}");
            let instant = whole.mul_f64(random());
            let mut child = begin(&color);
            sleep(instant);
            child.kill().expect("it is our child");
            unfinished += u32::from(!child.wait().expect("it ends").success());
            let wanted = environment(&color, Lacks::default());
            let (applied, told) = apply(&account, &wanted);
            assert!(
                applied.failed.is_empty() && applied.skipped.is_empty(),
                "killed after {instant:?} of {whole:?}: {:#?} {told:#?}",
                applied.failed
            );
            let plan = account.plan(&wanted).expect("a plan");
            assert!(
                plan.difference.is_empty(),
                "{instant:?}: {:#?}",
                plan.difference
            );
            assert!(
                plan.unsettled.is_empty(),
                "{instant:?}: {:#?}",
                plan.unsettled
            );
        }
        println!("{kills} kills within {whole:?}, {unfinished} of them before the end");
        assert!(unfinished > 0, "no kill came before the end");
    });
}

/// How long the making of everything takes, undisturbed; it is removed again.
fn measured(account: &mck_aws::Account) -> Duration {
    let begun = Instant::now();
    assert!(begin("red").wait().expect("it ends").success());
    let whole = begun.elapsed();
    let wanted = environment("red", Lacks::default());
    assert_eq!(account.existing(&wanted).expect("stacks").len(), 3);
    remove(account);
    whole
}

fn remove(account: &mck_aws::Account) {
    let wanted = environment("red", Lacks::default());
    let existing = account.existing(&wanted).expect("stacks");
    let (sender, _told) = std::sync::mpsc::channel();
    let reporter = mck_aws::Reporter::new(sender);
    let destroyed = account.destroy(&wanted, &existing, "ann@laptop", &reporter);
    let destroyed = destroyed.expect("there is an order");
    assert!(destroyed.failed.is_empty(), "{destroyed:#?}");
    assert!(account.existing(&wanted).expect("stacks").is_empty());
}

/// Whoever deletes a stack past us finds it made again.
#[test]
fn a_stack_that_is_deleted_behind_our_back_is_made_again() {
    let name = "kills::a_stack_that_is_deleted_behind_our_back_is_made_again";
    beside(Kind::Ministack, name, || {
        let account = account();
        let wanted = environment("red", Lacks::default());
        assert_fine(&apply(&account, &wanted).0);
        let mut existing = account.existing(&wanted).expect("stacks");
        existing.retain(|it| it.id == "app-shop");
        let (sender, _told) = std::sync::mpsc::channel();
        let reporter = mck_aws::Reporter::new(sender);
        let gone = account.destroy(&wanted, &existing, "bob@desk", &reporter);
        assert_eq!(gone.expect("there is an order").removed, ["app-shop"]);
        let plan = account.plan(&wanted).expect("a plan");
        assert_eq!(plan.difference.counts().create, 20);
        let (applied, _) = apply(&account, &wanted);
        assert_fine(&applied);
        assert_eq!(applied.changed, ["app-shop"]);
        assert_eq!(applied.unchanged, ["network", "data"]);
    });
}
