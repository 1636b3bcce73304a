//! How often AWS is asked.

use std::{process::Command, sync::atomic::Ordering};

use crate::{
    counting::{COUNTING_PORT, count},
    stacks::{Lacks, account, apply, assert_fine, environment},
    stand_in::{Kind, beside},
};

/// The most calls a plan with nothing to change may make for each stack.
const MOST_CALLS_A_STACK: usize = 3;

/// Not a test by itself: the plan whose calls are counted.
#[test]
#[ignore = "another test runs it in a process of its own"]
fn plan_once() {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap_or_default();
    if !endpoint.ends_with(&COUNTING_PORT.to_string()) {
        return;
    }
    let plan = account().plan(&environment("red", Lacks::default()));
    assert!(plan.expect("a plan").difference.is_empty());
}

#[test]
fn a_plan_with_nothing_to_change_asks_little() {
    let name = "calls::a_plan_with_nothing_to_change_asks_little";
    beside(Kind::Ministack, name, || {
        let wanted = environment("red", Lacks::default());
        assert_fine(&apply(&account(), &wanted).0);
        let count = count();
        let own = std::env::current_exe().expect("a test knows its program");
        let status = Command::new(own)
            .args(["--exact", "calls::plan_once", "--ignored"])
            .env(
                "AWS_ENDPOINT_URL",
                format!("http://127.0.0.1:{COUNTING_PORT}"),
            )
            .status();
        assert!(status.expect("the test's program runs again").success());
        let calls = count.load(Ordering::SeqCst);
        let most = MOST_CALLS_A_STACK * wanted.stacks.len();
        println!("{calls} calls for {} stacks", wanted.stacks.len());
        assert!((1..=most).contains(&calls), "{calls} calls, at most {most}");
    });
}
