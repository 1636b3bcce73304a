//! The Magento 1 preset over a tree with OpenMage's entry points.

use crate::harness::{Environment, Task, mariadb, redis};
use mck_server_config::web_preset::WebPreset;

const FRONT: &str = r#"<?php
$xml = simplexml_load_file(__DIR__ . '/app/etc/local.xml');
if (!empty($_GET['big'])) { header('X-Big: ' . str_repeat('b', 20000)); }
echo json_encode(['script' => $_SERVER['SCRIPT_NAME'], 'uri' => $_SERVER['REQUEST_URI'], 'server' => $_SERVER,
    'local' => $xml->global, 'front' => (string) $xml->admin->routers->adminhtml->args->frontName,
    'session' => file_exists(__DIR__ . '/app/etc/modules/zz_magecloudkit.xml'),
    'mode' => substr(sprintf('%o', fileperms(__DIR__ . '/app/etc/local.xml')), -4)]);
"#;
const NAME: &str =
    "<?php echo basename(__FILE__), ' ', json_encode($_GET), ' ', $_SERVER['REQUEST_URI'];";
const INSTALLER: &str = r#"<?php
echo json_encode(['arguments' => $_SERVER['argv'],
    'seen' => str_replace("\0", ' ', file_get_contents('/proc/self/cmdline')),
    'folder' => getcwd(), 'local' => file_exists('app/etc/local.xml')]);
$pdo = new PDO('mysql:host=127.0.0.1;dbname=magento', 'magento', getenv('MYSQL_PASSWORD'));
$pdo->exec('CREATE TABLE admin_user (user_id INT)');
$pdo->exec('INSERT INTO admin_user VALUES (1)');
exit;
"#;
const MAGE: &str = r#"<?php
class Mage
{
    public static function app($code = '') { echo "app($code) "; return new self(); }
    public static function reset() { echo 'reset '; }
    public function getCacheInstance() { return $this; }
    public function flush() { echo 'flush '; }
}
class Mage_Core_Model_Resource_Setup
{
    public static function applyAllUpdates() { echo 'updates '; }
    public static function applyAllDataUpdates() { echo 'data '; }
}
"#;

const RELEASE: &[(&str, &str)] = &[
    ("index.php", FRONT),
    ("get.php", NAME),
    ("api.php", NAME),
    ("install.php", INSTALLER),
    ("cron.php", "<?php echo json_encode(getopt('m::'));"),
    ("cron.sh", "secret"),
    ("shell/indexer.php", NAME),
    ("downloader/index.php", NAME),
    ("errors/404.php", "<?php http_response_code(404);"),
    ("errors/local.xml", "secret"),
    ("app/Mage.php", MAGE),
    ("app/etc/config.xml", "<config/>"),
    ("app/etc/modules/Cm_RedisSession.xml", "<config/>"),
    ("includes/config.php", NAME),
    ("lib/Varien/Object.php", NAME),
    ("var/report/1", "secret"),
    ("pkginfo/a.txt", "secret"),
    ("composer.json", "secret"),
    ("README.md", "secret"),
    (".git/config", "secret"),
    (".htaccess", "secret"),
    ("skin/frontend/a.css", "body{}"),
    ("js/prototype.js", "function $(){}"),
    ("js/index.php", NAME),
    ("media/catalog/shirt.jpg", "jpg"),
    ("media/downloadable/a.txt", "secret"),
    ("media/customer/a.txt", "secret"),
    ("robots.txt", "User-agent: *"),
];

const PASSWORD: &str = "a<b&c>\"d' word";
const ENVIRONMENT: Environment<'_> = &[
    ("MYSQL_HOST", "127.0.0.1"),
    ("MYSQL_DATABASE", "magento"),
    ("MYSQL_USER", "magento"),
    ("MYSQL_PASSWORD", PASSWORD),
    ("REDIS_CACHE_HOST", "127.0.0.1"),
    ("REDIS_SESSION_HOST", "127.0.0.1"),
    ("REDIS_SESSION_PORT", "6380"),
    ("MAGE_CRYPT_KEY", "crypt-of-the-shop"),
    ("MAGE_INSTALL_DATE", "Tue, 24 Nov 2026 11:00:00 +0000"),
    ("MAGE_BASE_URL", "http://shop.localhost:8080"),
    ("CACHE_PREFIX", "shop_"),
    ("MAGE_ADMIN_FRONTNAME", "backoffice"),
    ("MAGE_ADMIN_PASSWORD", "word-of-the-admin1"),
    ("MAGE_ADMIN_EMAIL", "owner@example.com"),
];

#[test]
fn magento1_serves_and_forbids() {
    let backing = [mariadb("magento", PASSWORD), redis(6379), redis(6380)].join("\n");
    let task = Task::start(
        &crate::spec(WebPreset::Magento1),
        RELEASE,
        ENVIRONMENT,
        &backing,
    );
    served(&task);
    forbidden(&task);
    configuration(&task);
    install(&task);
    commands(&task);
    health(&task);
}

fn served(task: &Task) {
    for path in [
        "/",
        "/men/tops.html?p=2",
        "/checkout/cart/",
        "/index.php/backoffice/",
    ] {
        let answer = task.get(path).json();
        assert_eq!(answer["script"], "/index.php", "{path}");
        assert_eq!(answer["uri"], path);
    }
    assert_eq!(task.get("/skin/frontend/a.css").text(), "body{}");
    assert_eq!(task.get("/skin/frontend/b.css").status, 404);
    assert_eq!(task.get("/js/prototype.js").status, 200);
    assert_eq!(task.get("/robots.txt").text(), "User-agent: *");
    assert_eq!(task.get("/media/catalog/shirt.jpg").text(), "jpg");
    assert_eq!(
        task.get("/media/catalog/cache/a.jpg?w=1").text(),
        "get.php {\"w\":\"1\"} /media/catalog/cache/a.jpg?w=1"
    );
    for api in ["rest", "soap", "v2_soap"] {
        let answer = task.get(&format!("/api/{api}/products?limit=1")).text();
        assert!(
            answer.starts_with(&format!(r#"api.php {{"type":"{api}","limit":"1"}}"#)),
            "{answer}"
        );
    }
    assert_eq!(task.get("/?big=1").header("X-Big").unwrap().len(), 20_000);
    let secure = task.get_with(
        "/",
        &[("X-Forwarded-Proto", "https"), ("X-Request-Id", "m1-9")],
    );
    assert_eq!(secure.json()["server"]["HTTPS"], "on");
    task.log_with("nginx", "m1-9");
    task.log_with("php", "m1-9");
}

fn forbidden(task: &Task) {
    for path in [
        "/app/etc/local.xml",
        "/app/etc/config.xml",
        "/app/Mage.php",
        "/includes/config.php",
        "/lib/Varien/Object.php",
        "/var/report/1",
        "/pkginfo/a.txt",
        "/shell/indexer.php",
        "/downloader/index.php",
        "/media/downloadable/a.txt",
        "/media/customer/a.txt",
        "/js/index.php",
        "/install.php",
        "/cron.php",
        "/cron.sh",
        "/composer.json",
        "/README.md",
        "/.git/config",
        "/.htaccess",
        "/errors/local.xml",
    ] {
        let answer = task.get(path);
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
}

fn configuration(task: &Task) {
    let answer = task.get("/").json();
    let local = &answer["local"];
    assert_eq!(answer["mode"], "0600");
    assert_eq!(answer["session"], true);
    assert_eq!(answer["front"], "backoffice");
    assert_eq!(local["crypt"]["key"], "crypt-of-the-shop");
    assert_eq!(local["install"]["date"], "Tue, 24 Nov 2026 11:00:00 +0000");
    let connection = &local["resources"]["default_setup"]["connection"];
    assert_eq!(connection["password"], PASSWORD);
    assert_eq!(local["cache"]["backend"], "Cm_Cache_Backend_Redis");
    assert_eq!(local["cache"]["id_prefix"], "shop_");
    assert_eq!(local["redis_session"]["port"], "6380");
    assert_eq!(local["session_save"], "db");
}

fn install(task: &Task) {
    let command = crate::spec(WebPreset::Magento1).hooks.install.unwrap();
    task.shell("rm /var/www/html/app/etc/local.xml");
    let first = task.run_well(&command);
    let first: serde_json::Value = serde_json::from_str(&first).expect(&first);
    let arguments = first["arguments"].as_array().unwrap();
    let option = |name: &str| {
        let at = arguments
            .iter()
            .position(|argument| argument == name)
            .unwrap();
        &arguments[at + 1]
    };
    assert_eq!(option("--db_pass"), PASSWORD);
    assert_eq!(option("--url"), "http://shop.localhost:8080/");
    assert_eq!(option("--encryption_key"), "crypt-of-the-shop");
    assert_eq!(option("--use_secure"), "no");
    assert_eq!(first["folder"], "/var/www/html");
    assert_eq!(first["local"], false);
    let seen = first["seen"].as_str().unwrap();
    assert!(
        !seen.contains("word") && !seen.contains("crypt-of"),
        "{seen}"
    );
    assert_eq!(task.run_well(&command), "Magento is installed already\n");
}

fn commands(task: &Task) {
    let spec = crate::spec(WebPreset::Magento1);
    assert_eq!(
        task.run_well(&spec.hooks.upgrade.unwrap()),
        "app(admin) flush reset app(admin) updates data app() flush "
    );
    assert_eq!(
        task.run_well(&spec.hooks.cache_flush.unwrap()),
        "app(admin) flush "
    );
    for (job, mode) in [(0, r#"{"m":"always"}"#), (1, r#"{"m":"default"}"#)] {
        assert_eq!(task.run_well(&spec.jobs[job].command), mode);
    }
}

fn health(task: &Task) {
    assert_eq!(task.get("/health_check.php").text(), "healthy\n");
    task.shell("redis-cli -p 6380 shutdown nosave");
    let answer = task.get("/health_check.php");
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (503, "the session store does not answer\n")
    );
    task.shell("kill -9 $(cat /run/db.pid)");
    let answer = task.get("/health_check.php");
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (503, "the database does not answer\n")
    );
    assert_eq!(
        task.request(8081, "GET", "/fpm-ping", &[], "").text(),
        "pong"
    );
}

#[test]
fn a_missing_variable_is_named_and_ends_the_start() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("app/etc/modules")).unwrap();
    let script = folder.path().join("local-xml.php");
    std::fs::write(&script, mck_server_config::magento1::LOCAL_XML_SCRIPT).unwrap();
    let output = std::process::Command::new("php")
        .arg(&script)
        .arg(folder.path())
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(78));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("REDIS_CACHE_HOST is not set"), "{message}");
    assert!(!folder.path().join("app/etc/local.xml").exists());
}
