//! What an environment needs of the account around it.

use serde_json::Value;

use crate::{
    environment::{Environments, aws},
    stand_in::{Kind, beside},
    whole::SHOP,
};

const SETTING: &str = "awsvpcTrunking";

fn switch(value: &str) {
    let put = ["ecs", "put-account-setting-default", "--name", SETTING];
    aws(&[&put[..], &["--value", value]].concat());
}

fn value() -> Value {
    let list = ["ecs", "list-account-settings", "--effective-settings"];
    aws(&[&list[..], &["--name", SETTING]].concat())["settings"][0]["value"].clone()
}

#[test]
fn trunking_is_switched_on_where_servers_have_room_for_more_tasks_than_interfaces() {
    let name =
        "account::trunking_is_switched_on_where_servers_have_room_for_more_tasks_than_interfaces";
    beside(Kind::MinistackOfAllTypes, name, || {
        switch("disabled");
        let shop = Environments::of(name, SHOP);
        let off = "note: `awsvpcTrunking` is off in account 000000000000 and us-east-1: an apply \
                   switches it on, since App Servers of `app` (c6i.large) have room for 3 tasks and \
                   network interfaces for 2";
        shop.mck(&["plan"]).ended(2, &[off]);
        assert_eq!(value(), "disabled", "a plan changes nothing");
        let words = [
            "`awsvpcTrunking` is on in account 000000000000",
            "8 changed",
        ];
        shop.mck(&["apply", "--yes"]).ended(0, &words);
        assert_eq!(value(), "enabled");
        shop.mck(&["plan"]).ended(0, &[]).without(SETTING);

        // It alone is a change.
        switch("disabled");
        shop.mck(&["plan"]).ended(2, &[off]);
        let told = shop.mck(&["apply", "--yes", "--json"]).ended(0, &[]);
        let lines = told.out.lines().map(serde_json::from_str::<Value>);
        let events: Vec<Value> = lines.map(|it| it.expect("JSON")).collect();
        let setting = events.iter().find(|it| it["event"] == "account-setting");
        assert_eq!(setting.expect("it is told")["region"], "us-east-1");
        assert_eq!(value(), "enabled");

        // A type that has no trunking is left alone.
        switch("disabled");
        let small = "\n[cluster.app]\ninstance-type = \"t3.large\"\n";
        shop.write(&format!("{SHOP}{small}"));
        shop.mck(&["plan"]).ended(2, &[]).without(SETTING);
    });
}
