//! The Magento 2 preset over a tree with Magento's entry points.

use crate::harness::{Environment, Task};
use mck_server_config::web_preset::WebPreset;

const DUMP: &str = r#"<?php
if (isset($_GET['log'])) { error_log('the shop complains'); trigger_error('the shop warns', E_USER_WARNING); }
if (isset($_GET['big'])) { header('X-Big: ' . str_repeat('b', 20000)); }
if (isset($_GET['long'])) { header('Content-Type: text/html'); echo str_repeat('<p>shop</p>', 20000); exit; }
echo json_encode(['script' => $_SERVER['SCRIPT_NAME'], 'uri' => $_SERVER['REQUEST_URI'],
    'get' => $_GET, 'server' => $_SERVER, 'mode' => getenv('MAGE_MODE'),
    'config' => is_file(__DIR__ . '/../app/etc/env.php') ? require __DIR__ . '/../app/etc/env.php' : null,
    'ini' => array_map('ini_get', ['memory' => 'memory_limit', 'time' => 'max_execution_time',
        'opcache' => 'opcache.memory_consumption', 'files' => 'opcache.max_accelerated_files',
        'stamps' => 'opcache.validate_timestamps'])]);
"#;
const NAME: &str =
    "<?php echo basename(__FILE__), ' ', json_encode($_GET), ' ', $_SERVER['REQUEST_URI'];";
const CONSOLE: &str = r#"#!/usr/bin/env php
<?php
$seen = str_replace("\0", ' ', file_get_contents('/proc/self/cmdline'));
echo json_encode(['arguments' => $_SERVER['argv'], 'seen' => $seen, 'memory' => ini_get('memory_limit'),
    'config' => @include __DIR__ . '/../app/etc/env.php', 'date' => getenv('MAGENTO_DC_INSTALL__DATE'), 'modules' => require __DIR__ . '/../app/etc/config.php']);
file_put_contents(__DIR__ . '/../app/etc/config.php', "<?php return ['modules' => ['Magento_Store' => 1]];") or exit(1);
if (($_SERVER['argv'][1] ?? '') === 'setup:install') {
    $pdo = new PDO('mysql:host=127.0.0.1;dbname=magento', 'magento',
        substr(current(preg_grep('/^--db-password=/', $_SERVER['argv'])), 14));
    $pdo->exec('CREATE TABLE m_admin_user (user_id INT)');
    $pdo->exec('INSERT INTO m_admin_user VALUES (1)');
}
"#;

const RELEASE: &[(&str, &str)] = &[
    ("pub/index.php", DUMP),
    ("pub/get.php", NAME),
    ("pub/static.php", NAME),
    ("pub/health_check.php", "<?php echo 'healthy';"),
    ("pub/cron.php", NAME),
    ("pub/phpinfo.php", NAME),
    (
        "pub/errors/404.php",
        "<?php http_response_code(404); echo 'no such page';",
    ),
    ("pub/errors/503.php", "<?php http_response_code(503);"),
    ("pub/errors/report.php", NAME),
    ("pub/errors/local.xml", "<secret/>"),
    ("pub/.user.ini", "secret"),
    ("pub/.htaccess", "secret"),
    ("pub/static/frontend/app.css", "body{}"),
    ("pub/static/frontend/app.map", "{}"),
    ("pub/static/frontend/pack.zip", "zip"),
    ("pub/media/catalog/shirt.jpg", "jpg"),
    ("pub/media/customer/id.jpg", "secret"),
    ("pub/media/downloadable/a.txt", "secret"),
    ("pub/media/import/a.csv", "secret"),
    ("pub/media/custom_options/a.txt", "secret"),
    ("pub/media/theme_customization/a.xml", "secret"),
    ("pub/media/evil.php", NAME),
    ("setup/index.php", NAME),
    ("setup/pub/logo.png", "png"),
    ("update/index.php", NAME),
    (
        "app/etc/config.php",
        "<?php return ['modules' => ['Magento_Store' => 1]];",
    ),
    ("app/etc/env.php", "<?php return ['from' => 'the release'];"),
    ("bin/magento", CONSOLE),
    ("REVISION.txt", "release-7"),
];

const ENVIRONMENT: Environment<'_> = &[
    ("MAGE_MODE", "production"),
    (
        "MAGENTO_DC_INSTALL__DATE",
        "Tue, 24 Nov 2026 11:00:00 +0000",
    ),
    ("MAGENTO_DC_CRYPT__KEY", "crypt-of-the-shop"),
    ("MAGENTO_DC_BACKEND__FRONTNAME", "backoffice"),
    ("MAGENTO_DC_DB__TABLE_PREFIX", "m_"),
    ("MAGENTO_DC_DB__CONNECTION__DEFAULT__HOST", "127.0.0.1"),
    ("MAGENTO_DC_DB__CONNECTION__DEFAULT__DBNAME", "magento"),
    ("MAGENTO_DC_DB__CONNECTION__DEFAULT__USERNAME", "magento"),
    (
        "MAGENTO_DC_DB__CONNECTION__DEFAULT__PASSWORD",
        "word-of-the-database",
    ),
    ("MAGENTO_DC_CACHE__FRONTEND__DEFAULT__ID_PREFIX", "shop_"),
    (
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__SERVER",
        "redis-cache",
    ),
    (
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__PORT",
        "6379",
    ),
    (
        "MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__DATABASE",
        "0",
    ),
    ("MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__ID_PREFIX", "shop_"),
    (
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__SERVER",
        "redis-cache",
    ),
    (
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__PORT",
        "6379",
    ),
    (
        "MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__DATABASE",
        "1",
    ),
    ("MAGENTO_DC_SESSION__REDIS__HOST", "redis-session"),
    ("MAGENTO_DC_SESSION__REDIS__PORT", "6379"),
    ("MAGENTO_DC_SESSION__REDIS__DATABASE", "0"),
    (
        "CONFIG__DEFAULT__WEB__UNSECURE__BASE_URL",
        "https://shop.example.com/",
    ),
    ("MAGE_ADMIN_PASSWORD", "word-of-the-admin1"),
    ("MAGE_ADMIN_EMAIL", "owner@example.com"),
];

fn task() -> Task {
    let backing = crate::harness::mariadb("magento", "word-of-the-database");
    Task::start(
        &crate::spec(WebPreset::Magento2),
        RELEASE,
        ENVIRONMENT,
        &backing,
    )
}

#[test]
fn magento2_serves_and_forbids() {
    let task = task();
    served(&task);
    forbidden(&task);
    static_and_media(&task);
    headers_and_compression(&task);
    identity(&task);
    complaints(&task);
    status_port(&task);
    configuration(&task);
    commands(&task);
    install(&task);
}

fn served(task: &Task) {
    for path in ["/", "/men/tops?p=2", "/index.php/backoffice"] {
        let answer = task.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["script"], "/index.php");
        assert_eq!(answer.json()["uri"], path);
    }
    assert_eq!(task.get("/men?p=2").json()["get"]["p"], "2");
    assert_eq!(task.get("/health_check.php").text(), "healthy");
    assert_eq!(task.get("/REVISION.txt").text(), "release-7");
    let ini = &task.get("/").json()["ini"];
    assert_eq!(ini["memory"], "768M");
    assert_eq!(ini["time"], "18000");
    assert_eq!(ini["opcache"], "512");
    assert_eq!(ini["files"], "60000");
    assert_eq!(ini["stamps"], "0");
}

fn forbidden(task: &Task) {
    for path in [
        "/setup/index.php",
        "/setup",
        "/setup/pub/logo.png",
        "/update/index.php",
        "/phpinfo.php",
        "/cron.php",
        "/media/evil.php",
        "/.user.ini",
        "/.htaccess",
        "/.git/config",
        "/errors/local.xml",
        "/media/customer/id.jpg",
        "/media/downloadable/a.txt",
        "/media/import/a.csv",
        "/media/custom_options/a.txt",
        "/media/theme_customization/a.xml",
        "/pub/media/customer/id.jpg",
        "/pub/index.php",
        "/pub/../app/etc/env.php",
        "/static/../../app/etc/env.php",
    ] {
        let answer = task.get(path);
        assert!(
            answer.status == 404 || answer.status == 400,
            "{path}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.status == 404 && !path.contains("..") {
            assert_eq!(answer.text(), "no such page", "{path}");
        }
    }
}

fn static_and_media(task: &Task) {
    for path in [
        "/static/frontend/app.css",
        "/static/version1700000000/frontend/app.css",
    ] {
        let answer = task.get(path);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "body{}"),
            "{path}"
        );
        assert_eq!(answer.header("X-Frame-Options"), Some("SAMEORIGIN"));
        assert!(
            answer.headers.contains("Cache-Control: max-age=31536000"),
            "{}",
            answer.headers
        );
    }
    let missing = task.get("/static/version1700000000/frontend/new.js").text();
    assert!(
        missing.starts_with(r#"static.php {"resource":"frontend\/new.js"}"#),
        "{missing}"
    );
    assert!(
        task.get("/static/frontend/new")
            .text()
            .starts_with("static.php")
    );
    let archive = task.get("/static/frontend/pack.zip");
    assert_eq!(archive.header("Cache-Control"), Some("no-store"));
    assert_eq!(task.get("/media/catalog/shirt.jpg").text(), "jpg");
    let resized = task.get("/media/catalog/cache/shirt.jpg?width=10").text();
    assert_eq!(
        resized,
        "get.php {\"width\":\"10\"} /media/catalog/cache/shirt.jpg?width=10"
    );
    assert!(
        task.get("/media/other/new.pdf")
            .text()
            .starts_with("get.php")
    );
    assert_eq!(task.get("/pub/static/frontend/app.css").text(), "body{}");
    let disguised = task.get("/media/evil.php/x.jpg").text();
    assert!(disguised.starts_with("get.php"), "{disguised}");
}

fn headers_and_compression(task: &Task) {
    let answer = task.get("/?big=1");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("X-Big").unwrap().len(), 20_000);
    let cookie = format!("shop={}", "c".repeat(20_000));
    let answer = task.get_with("/", &[("Cookie", &cookie)]);
    assert_eq!(
        answer.json()["server"]["HTTP_COOKIE"]
            .as_str()
            .unwrap()
            .len(),
        20_005
    );
    let plain = task.get("/?long=1");
    assert_eq!(plain.body.len(), 220_000);
    let packed = task.get_with("/?long=1", &[("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    assert_eq!(packed.header("Vary"), Some("Accept-Encoding"));
    assert!(packed.body.len() < 5_000);
    let body = "x=".to_owned() + &"y".repeat(2_000_000);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    assert_eq!(task.request(80, "POST", "/", &form, &body).status, 200);
}

fn identity(task: &Task) {
    let server = |headers: &[(&str, &str)]| task.get_with("/who", headers).json()["server"].clone();
    let plain = server(&[]);
    assert!(plain["HTTPS"].is_null());
    assert_eq!(plain["SERVER_PORT"], "80");
    assert_eq!(plain["HTTP_X_REQUEST_ID"].as_str().unwrap().len(), 32);
    let behind = server(&[
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "6.6.6.6, 203.0.113.7"),
        ("X-Request-Id", "abc-123"),
        (
            "X-Amzn-Trace-Id",
            "Root=1-67891233-abcdef012345678912345678",
        ),
        ("Proxy", "http://evil"),
    ]);
    assert_eq!(behind["HTTPS"], "on");
    assert_eq!(behind["SERVER_PORT"], "443");
    assert_eq!(behind["REQUEST_SCHEME"], "https");
    assert_eq!(behind["REMOTE_ADDR"], "203.0.113.7");
    assert_eq!(behind["HTTP_X_REQUEST_ID"], "abc-123");
    assert_ne!(behind["HTTP_PROXY"], "http://evil");
    let log = task.log_with("nginx", "abc-123");
    let line = log.lines().find(|line| line.contains("abc-123")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["trace_id"], "Root=1-67891233-abcdef012345678912345678");
    assert_eq!(line["client"], "203.0.113.7");
    assert_eq!(line["status"], 200);
    assert_eq!(line["upstream_status"], "200");
    let log = task.log_with("php", "abc-123");
    let line = log.lines().find(|line| line.contains("abc-123")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["script"], "/var/www/html/pub/index.php");
    assert_eq!(line["status"], 200);
    let port = server(&[("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "8443")]);
    assert_eq!(port["SERVER_PORT"], "8443");
    let forged = server(&[("X-Request-Id", "a\"b c")]);
    assert_eq!(forged["HTTP_X_REQUEST_ID"].as_str().unwrap().len(), 32);
    assert!(!task.log("nginx").contains("health_check.php\",\"protocol"));
}

fn complaints(task: &Task) {
    assert_eq!(task.get("/?log=1").status, 200);
    task.log_with("php", "the shop complains");
    task.log_with("php", "the shop warns");
}

fn status_port(task: &Task) {
    let get = |path| task.request(8081, "GET", path, &[], "");
    assert!(
        get("/stub_status")
            .text()
            .starts_with("Active connections:")
    );
    assert!(
        get("/fpm-status")
            .text()
            .contains("process manager:      dynamic")
    );
    assert_eq!(get("/fpm-ping").text(), "pong");
    assert_eq!(get("/").status, 404);
    assert_eq!(get("/index.php").status, 404);
    assert_eq!(task.get("/fpm-status").json()["script"], "/index.php");
    assert_eq!(task.get("/stub_status").json()["script"], "/index.php");
}

fn configuration(task: &Task) {
    let config = &task.get("/").json()["config"];
    assert_eq!(config["db"]["connection"]["default"]["host"], "127.0.0.1");
    assert_eq!(config["db"]["table_prefix"], "m_");
    assert_eq!(
        config["cache"]["frontend"]["page_cache"]["backend_options"]["database"],
        "1"
    );
    assert_eq!(config["session"]["redis"]["host"], "redis-session");
    assert_eq!(config["backend"]["frontName"], "backoffice");
    assert_eq!(config["crypt"]["key"], "crypt-of-the-shop");
    assert_eq!(config["install"]["date"], "Tue, 24 Nov 2026 11:00:00 +0000");
    assert_eq!(config["MAGE_MODE"], "production");
    assert!(config["from"].is_null());
}

fn commands(task: &Task) {
    let spec = crate::spec(WebPreset::Magento2);
    let flush = task.run_well(&spec.hooks.cache_flush.unwrap());
    let flush: serde_json::Value = serde_json::from_str(flush.trim()).unwrap();
    assert_eq!(
        flush["arguments"],
        serde_json::json!(["bin/magento", "cache:flush"])
    );
    assert_eq!(flush["memory"], "2048M");
    assert_eq!(flush["modules"]["modules"]["Magento_Store"], 1);
    let upgrade = task.run_well(&spec.hooks.upgrade.unwrap());
    assert!(
        upgrade.contains(r#""setup:upgrade","--keep-generated""#),
        "{upgrade}"
    );
    assert!(task.run_well(&spec.jobs[0].command).contains("cron:run"));
    assert!(
        task.run_well(&spec.jobs[1].command)
            .contains("indexer:reindex")
    );
}

fn install(task: &Task) {
    let command = crate::spec(WebPreset::Magento2).hooks.install.unwrap();
    let first = task.run_well(&command);
    let first: serde_json::Value = serde_json::from_str(first.trim()).expect(&first);
    let arguments: Vec<&str> = first["arguments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| argument.as_str().unwrap())
        .collect();
    for expected in [
        "setup:install",
        "--db-password=word-of-the-database",
        "--db-prefix=m_",
        "--key=crypt-of-the-shop",
        "--admin-password=word-of-the-admin1",
        "--base-url=https://shop.example.com/",
        "--use-secure=1",
        "--page-cache-redis-db=1",
        "--session-save-redis-host=redis-session",
    ] {
        assert!(
            arguments.contains(&expected),
            "{expected} is not in {arguments:?}"
        );
    }
    assert_eq!(
        first["config"], false,
        "an installation finds no deployment"
    );
    assert_eq!(first["date"], false);
    let seen = first["seen"].as_str().unwrap();
    assert!(seen.contains("magento2-install.php"), "{seen}");
    assert!(
        !seen.contains("word-of") && !seen.contains("crypt-of"),
        "{seen}"
    );
    assert_eq!(task.run_well(&command), "Magento is installed already\n");
}
