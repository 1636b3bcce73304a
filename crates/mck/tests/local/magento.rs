//! The Magento presets, over trees of our own with Magento's entry points.

use std::{path::Path, time::Duration};

use mck_local::wait;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{Browser, File, Store};

/// The scheduler's shortest interval.
const EVERY_MINUTE: &str = "cron(* * * * ? *)";
const CRON_WITHIN: Duration = Duration::from_secs(80);

fn store(name: &str, preset: &str, cron: &str) -> Store {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(preset);
    let app = format!(
        "[app.shop]\npreset = \"{preset}\"\nsource = \"{}\"\n\
         [app.shop.job.often]\nschedule = \"{EVERY_MINUTE}\"\ncommand = {cron}\n",
        folder.display()
    );
    let store = Store::new(name, File::Text(&app));
    store.up();
    store
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn calls(visitor: &mut Browser, command: &str) -> u64 {
    let page = visitor.get("/").expect(200).json();
    page["calls"][command].as_u64().unwrap_or_default()
}

/// The installation ended before any task took a request.
fn installed_before_any_traffic(store: &Store) {
    let lines = store.mck(&["events", "--json"]).good();
    let events: Vec<Value> = lines
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let place = |text: &str| {
        let found = events
            .iter()
            .position(|it| it["message"].as_str().unwrap().contains(text));
        found.unwrap_or_else(|| panic!("{text} is not in {events:#?}"))
    };
    assert!(
        place("Runs the install hook") < place("it takes requests"),
        "{events:#?}"
    );
}

/// Whatever any task has uploaded, every task has.
fn media_is_shared(store: &Store, media: &str) {
    let mut visitor = store.visitor("shop");
    let page = visitor.get("/?upload=picture.txt").expect(200).json();
    let by = format!("uploaded by {}", page["host"].as_str().unwrap());
    for task in store.tasks("shop") {
        let path = format!("{media}/picture.txt");
        assert_eq!(
            store.mck(&["exec", &task, "--", "cat", &path]).good(),
            by,
            "{task}"
        );
    }
    assert_eq!(visitor.get("/media/picture.txt").expect(200).text(), by);
}

/// Both tasks write to one session store and read the same secrets.
fn tasks_are_alike(store: &Store) {
    let mut visitor = store.visitor("shop");
    let pages: Vec<Value> = (0..12)
        .map(|_| visitor.get("/").expect(200).json())
        .collect();
    let mut hosts: Vec<&str> = pages
        .iter()
        .map(|page| page["host"].as_str().unwrap())
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts.len(), 2, "both tasks answer");
    let visits: Vec<u64> = pages
        .iter()
        .map(|page| page["sessions"].as_u64().unwrap())
        .collect();
    assert!(visits.is_sorted_by(|one, next| one < next), "{visits:?}");
    for page in &pages {
        assert_eq!(page["crypt_key"], sha256(&store.secret("shop-crypt-key")));
        assert_eq!(page["install_date"], pages[0]["install_date"]);
        assert_eq!(
            page["base_url"],
            format!("http://shop.localhost:{}/", store.http)
        );
        assert_eq!(page["front_name"], "admin");
    }
}

fn cron_runs(store: &Store, command: &str) {
    let mut visitor = store.visitor("shop");
    let ran = wait::until(CRON_WITHIN, || {
        wait::pause(Duration::from_millis(200));
        (calls(&mut visitor, command) > 0).then_some(())
    });
    let job = |status: &Value| {
        let jobs = status["apps"][0]["jobs"].as_array().unwrap().clone();
        jobs.into_iter().find(|job| job["name"] == "often").unwrap()
    };
    assert!(
        ran.is_some(),
        "{command} never ran: {:#}\n{}",
        job(&store.status()),
        store.last_words()
    );
    let ended = wait::until(Duration::from_secs(10), || {
        wait::pause(Duration::from_millis(100));
        let job = job(&store.status());
        job["last-exit-code"].as_i64().map(|_| job)
    });
    assert_eq!(ended.unwrap()["last-exit-code"], 0);
}

fn served(store: &Store, files: &[(&str, &str)], refused: &[&str], status: u16) {
    let mut visitor = store.visitor("shop");
    for (path, begin) in files {
        let text = visitor.get(path).expect(200).text();
        assert!(text.starts_with(begin), "{path}: {text}");
    }
    for path in refused {
        let answer = visitor.get(path);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
}

#[test]
fn magento2_comes_up_installed() {
    let store = store(
        "magento2",
        "magento2",
        r#"["php", "bin/magento", "cron:run"]"#,
    );
    installed_before_any_traffic(&store);
    tasks_are_alike(&store);
    media_is_shared(&store, "/var/www/html/pub/media");

    let mut visitor = store.visitor("shop");
    let page = visitor.get("/").expect(200).json();
    assert_eq!(page["mode"], "production");
    assert_eq!(page["install"]["base-url"], page["base_url"]);
    assert_eq!(page["install"]["backend-frontname"], "admin");
    assert_eq!(
        page["install"]["db-host"],
        "db.us-east-1.magecloudkit.internal"
    );
    assert_eq!(
        page["writable"],
        serde_json::json!({"code": false, "var": true, "media": true})
    );
    for extension in [
        "bcmath",
        "gd",
        "intl",
        "pdo_mysql",
        "soap",
        "xsl",
        "zip",
        "zend opcache",
    ] {
        assert!(
            page["extensions"]
                .as_array()
                .unwrap()
                .contains(&extension.into()),
            "{extension}"
        );
    }
    served(
        &store,
        &[
            ("/static/frontend/app.css", "body{}"),
            ("/static/version1700000000/frontend/app.css", "body{}"),
            ("/static/version1700000000/frontend/new.js", "static.php"),
            ("/media/catalog/cache/shirt.jpg?width=10", "get.php"),
            ("/health_check.php", ""),
        ],
        &[
            "/setup/",
            "/setup/index.php",
            "/.htaccess",
            "/cron.php",
            "/media/../app/etc/env.php",
        ],
        404,
    );

    store.mck(&["cache", "flush"]).good();
    assert_eq!(calls(&mut visitor, "cache:flush"), 1);
    store
        .mck(&["run", "shop", "--", "php", "bin/magento", "indexer:status"])
        .good();
    assert_eq!(calls(&mut visitor, "indexer:status"), 1);
    store
        .mck(&["run", "shop", "--", "php", "bin/magento", "fail"])
        .with_code(4);
    cron_runs(&store, "cron:run");

    store.mck(&["stop"]).good();
    store.up();
    assert_eq!(calls(&mut visitor, "setup:install"), 1, "once and for all");
}

#[test]
fn magento1_comes_up_installed() {
    let store = store("magento1", "magento1", r#"["php", "cron.php", "-malways"]"#);
    installed_before_any_traffic(&store);
    tasks_are_alike(&store);
    media_is_shared(&store, "/var/www/html/media");

    let mut visitor = store.visitor("shop");
    let page = visitor.get("/").expect(200).json();
    assert_eq!(page["cache"], "Cm_Cache_Backend_Redis");
    let mode = [
        "exec",
        "--",
        "stat",
        "-c",
        "%a %U",
        "/var/www/html/app/etc/local.xml",
    ];
    assert_eq!(store.mck(&mode).good().trim(), "600 www-data");
    served(
        &store,
        &[
            ("/skin/frontend/a.css", "body{}"),
            ("/js/prototype.js", "function"),
            ("/media/catalog/cache/a.jpg?w=1", "get.php"),
            ("/api/rest/products", "api.php"),
            ("/health_check.php", "healthy"),
        ],
        &[
            "/app/etc/local.xml",
            "/app/Mage.php",
            "/install.php",
            "/cron.php",
        ],
        403,
    );
    let flushed = calls(&mut visitor, "cache:flush");
    store.mck(&["cache", "flush"]).good();
    assert_eq!(calls(&mut visitor, "cache:flush"), flushed + 1);
    cron_runs(&store, "cron always");

    store.mck(&["stop"]).good();
    store.up();
    assert_eq!(calls(&mut visitor, "install"), 1, "once and for all");
}
