//! The storefront and free-form presets.

use crate::harness::Task;
use mck_server_config::web_preset::{PlainPhp, WebPreset};

const DUMP: &str = "<?php if (isset($_GET['big'])) { header('X-Big: ' . str_repeat('b', 20000)); } \
    echo json_encode(['script' => $_SERVER['SCRIPT_NAME'], 'get' => $_GET, 'server' => $_SERVER, \
    'mysql' => getenv('MYSQL_HOST'), 'temp' => sys_get_temp_dir()]);";
const NAME: &str = "<?php echo basename(__FILE__), ' ', $_SERVER['REQUEST_URI'];";

#[test]
fn storefront_serves_and_forbids() {
    let release = [
        ("pub/index.php", DUMP),
        ("pub/get.php", NAME),
        ("pub/health_check.php", "<?php echo 'healthy';"),
        ("pub/other.php", NAME),
        ("pub/.env", "secret"),
        ("pub/static/app.css", "body{}"),
        ("pub/media/catalog/a.jpg", "jpg"),
        ("pub/media/customer/a.jpg", "secret"),
        ("pub/media/a.php", NAME),
        (
            "bin/magento",
            "<?php echo implode(' ', $argv), ' ', getcwd();",
        ),
        ("REVISION.txt", "abc"),
    ];
    let environment = [("MYSQL_HOST", "db.us-east-1.magecloudkit.internal")];
    let spec = crate::spec(WebPreset::Storefront);
    let task = Task::start(&spec, &release, &environment, "");
    let front = task.get("/shirts?p=2").json();
    assert_eq!(front["script"], "/index.php");
    assert_eq!(front["get"]["p"], "2");
    assert_eq!(front["mysql"], "db.us-east-1.magecloudkit.internal");
    assert_eq!(front["temp"], "/tmp");
    assert_eq!(task.get("/?big=1").header("X-Big").unwrap().len(), 20_000);
    assert_eq!(task.get("/health_check.php").text(), "healthy");
    assert_eq!(task.get("/REVISION.txt").text(), "abc");
    for path in ["/static/app.css", "/static/version12/app.css"] {
        assert_eq!(task.get(path).text(), "body{}", "{path}");
    }
    assert_eq!(task.get("/static/none.css").status, 404);
    assert_eq!(task.get("/media/catalog/a.jpg").text(), "jpg");
    assert_eq!(
        task.get("/media/cache/b.jpg").text(),
        "get.php /media/cache/b.jpg"
    );
    for path in [
        "/other.php",
        "/.env",
        "/media/customer/a.jpg",
        "/media/a.php",
    ] {
        assert_eq!(task.get(path).status, 403, "{path}");
    }
    for (command, expected) in [
        (spec.hooks.install.unwrap(), "setup:install"),
        (spec.hooks.upgrade.unwrap(), "setup:upgrade"),
        (spec.hooks.cache_flush.unwrap(), "cache:flush"),
        (spec.jobs[0].command.clone(), "cron:run"),
        (spec.jobs[1].command.clone(), "indexer:reindex"),
    ] {
        assert_eq!(
            task.run_well(&command),
            format!("bin/magento {expected} /var/www/html")
        );
    }
}

#[test]
fn any_php_app_with_its_front_controller() {
    let release = [
        ("web/app.php", DUMP),
        ("web/admin/index.php", NAME),
        ("web/config.php", NAME),
        ("web/logo.txt", "logo"),
        ("secret.txt", "secret"),
    ];
    let mut app = crate::app(WebPreset::Php);
    app.plain_php = PlainPhp {
        document_root: "web".to_owned(),
        front_controller: "app.php".to_owned(),
        php_entry_points: vec!["admin/index.php".to_owned()],
        health_check_path: "/up".to_owned(),
    };
    let task = Task::start(&app.spec(), &release, &[], "");
    assert_eq!(task.get("/").json()["script"], "/app.php");
    assert_eq!(task.get("/any/where?x=1").json()["get"]["x"], "1");
    assert_eq!(task.get("/logo.txt").text(), "logo");
    assert_eq!(
        task.get("/admin/index.php").text(),
        "index.php /admin/index.php"
    );
    assert_eq!(task.get("/config.php").status, 403);
    assert_eq!(task.get("/secret.txt").json()["script"], "/app.php");
}

#[test]
fn headers_of_strangers_are_not_believed() {
    let mut app = crate::app(WebPreset::Php);
    app.trusted_proxies = vec!["172.31.0.0/24".parse().unwrap()];
    app.plain_php.document_root = String::new();
    let task = Task::start(&app.spec(), &[("index.php", DUMP)], &[], "");
    let answer = task
        .get_with(
            "/",
            &[
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-For", "203.0.113.7"),
                ("X-Forwarded-Port", "443"),
                ("X-Request-Id", "forged"),
            ],
        )
        .json();
    assert_eq!(answer["server"]["REMOTE_ADDR"], "127.0.0.1");
    assert_eq!(answer["server"]["SERVER_PORT"], "80");
    assert!(answer["server"]["HTTPS"].is_null());
    assert_eq!(answer["server"]["HTTP_X_FORWARDED_PROTO"], "http");
    assert_ne!(answer["server"]["HTTP_X_REQUEST_ID"], "forged");
}

#[test]
fn a_stop_finishes_the_requests_under_way() {
    let release = [(
        "index.php",
        "<?php if (isset($_GET['slow'])) { usleep(1500000); } echo 'done';",
    )];
    let mut app = crate::app(WebPreset::Php);
    app.plain_php.document_root = String::new();
    let task = Task::start(&app.spec(), &release, &[], "");
    let answer = std::thread::scope(|scope| {
        let slow = scope.spawn(|| task.get("/?slow=1"));
        task.shell("sleep 0.5; kill -QUIT $(cat /tmp/nginx.pid) $(cat /tmp/php-fpm.pid)");
        slow.join().unwrap()
    });
    assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
}
