//! `mck apply` that is ended by kill -9 at any instant, and begun again.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    environment::Environments,
    stand_in::{Kind, beside},
    whole::SHOP,
};

/// How many kills there are.
const KILLS: &str = "MCK_TEST_KILLS";
/// How many there are where nobody says.
const DEFAULT_KILLS: u32 = 5;

/// A number from 0 up to 1, another one each time.
fn random() -> f64 {
    let number = RandomState::new().hash_one(0_u8) >> 32;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    let number = number as f64;
    number / f64::from(u32::MAX)
}

/// A shop without a search domain: that stays when it is removed, and the stand-in does not take it over
/// again as CloudFormation does.
fn base() -> String {
    SHOP.replace("magento2", "wordpress")
}

/// The shop with another database and another app in each round.
fn variant(round: u32) -> String {
    let class = ["db.r6g.large", "db.r6g.xlarge"][usize::from(round % 2 == 1)];
    let memory = 2 + round % 3;
    format!(
        "{}[environment.production.database]\ninstance-class = \"{class}\"\n\
         [app.shop.container.php-fpm]\nmemory = \"{memory}GiB\"\n",
        base()
    )
}

fn remove(shop: &Environments) {
    let gone = ["destroy", "--yes", "--unprotect", "data", "--global"];
    shop.mck(&gone).ended(0, &["production is removed"]);
}

/// Eight stacks with some 200 resources; in turn all of them are made, and some changed.
#[test]
#[expect(clippy::disallowed_methods, reason = "it waits for a random instant")]
fn an_apply_that_is_killed_at_any_instant_is_made_good_by_the_next() {
    let name = "kills::an_apply_that_is_killed_at_any_instant_is_made_good_by_the_next";
    beside(Kind::MinistackOfAllTypes, name, || {
        let shop = Environments::of(name, &base());
        let whole = (0..2).map(|_| measured(&shop)).min();
        let whole = whole.expect("there are two");
        let kills = std::env::var(KILLS).map_or(DEFAULT_KILLS, |it| it.parse().expect("a number"));
        let mut unfinished = 0;
        for round in 0..kills {
            if round % 2 == 0 && round > 0 {
                remove(&shop);
            }
            shop.write(&variant(round));
            let instant = whole.mul_f64(random());
            let mut child = shop
                .command("production", &["apply", "--yes"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program runs");
            sleep(instant);
            child.kill().expect("it is our child");
            unfinished += u32::from(!child.wait().expect("it ends").success());
            let told = format!("killed after {instant:?} of {whole:?}");
            println!("{told}");
            shop.mck(&["apply", "--yes"]).ended(0, &[]);
            let (code, plan) = shop.plan();
            assert_eq!(code, 0, "{told}: {plan:#}");
        }
        println!("{kills} kills within {whole:?}, {unfinished} of them before the end");
        assert!(unfinished > 0, "no kill came before the end");
    });
}

/// How long the making of everything takes, undisturbed; it is removed again.
fn measured(shop: &Environments) -> Duration {
    let begun = Instant::now();
    shop.mck(&["apply", "--yes"]).ended(0, &["8 changed"]);
    let whole = begun.elapsed();
    remove(shop);
    whole
}
