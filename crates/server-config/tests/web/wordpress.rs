//! WordPress itself, installed on a MariaDB of its own.

use crate::harness::{Environment, Task, mariadb};
use mck_server_config::web_preset::WebPreset;

const ENVIRONMENT: Environment<'_> = &[
    ("DB_HOST", "127.0.0.1"),
    ("DB_NAME", "wordpress"),
    ("DB_USER", "wordpress"),
    ("DB_PASSWORD", "word-of-the-database"),
    ("AUTH_KEY", "k1"),
    ("SECURE_AUTH_KEY", "k2"),
    ("LOGGED_IN_KEY", "k3"),
    ("NONCE_KEY", "k4"),
    ("AUTH_SALT", "s1"),
    ("SECURE_AUTH_SALT", "s2"),
    ("LOGGED_IN_SALT", "s3"),
    ("NONCE_SALT", "s4"),
    ("WP_HOME", "http://blog.localhost:8080"),
    ("WP_TITLE", "A blog's title"),
    ("WP_ADMIN_USER", "owner"),
    ("WP_ADMIN_EMAIL", "owner@example.com"),
    ("WP_ADMIN_PASSWORD", "pass'word\\of \"admin"),
];

const HOST: (&str, &str) = ("Host", "blog.localhost:8080");

#[test]
fn wordpress_installs_and_serves() {
    let spec = crate::spec(WebPreset::WordPress);
    let backing = mariadb("wordpress", "word-of-the-database");
    let task = Task::start(&spec, &[], ENVIRONMENT, &backing);
    assert_eq!(task.get("/health_check.php").status, 503);
    let install = spec.hooks.install.unwrap();
    install_from_two_tasks(&task, &install);
    assert_eq!(task.get("/health_check.php").text(), "healthy\n");
    pages(&task);
    forbidden(&task);
    log_in(&task);
    behind_https(&task);
    let upgrade = task.run_well(&spec.hooks.upgrade.unwrap());
    assert!(upgrade.starts_with("database version "), "{upgrade}");
    assert_eq!(
        task.run_well(&spec.hooks.cache_flush.unwrap()),
        "caches flushed\n"
    );
    cron(&task, &spec.jobs[0].command);
    uploads(&task);
    task.shell("kill -9 $(cat /run/db.pid)");
    assert_eq!(task.get("/health_check.php").status, 503);
}

/// Two at once: one installs, the other waits and finds it done.
fn install_from_two_tasks(task: &Task, install: &[String]) {
    let mut outputs: Vec<String> = std::thread::scope(|scope| {
        let both = [
            scope.spawn(|| task.run_well(install)),
            scope.spawn(|| task.run_well(install)),
        ];
        both.map(|one| one.join().unwrap()).to_vec()
    });
    outputs.sort();
    assert_eq!(
        outputs,
        [
            "WordPress is installed\n",
            "WordPress is installed already\n"
        ]
    );
}

fn pages(task: &Task) {
    let front = task.get_with("/", &[HOST]);
    assert_eq!(front.status, 200, "{}", front.headers);
    assert!(front.text().contains("A blog&#039;s title"));
    assert!(front.text().contains("Hello world!"));
    assert!(front.text().contains("twentytwentythree"));
    let feed = task.get_with("/feed/", &[HOST]);
    assert_eq!(feed.status, 200);
    let post = feed.text();
    let link = post
        .split("<link>http://blog.localhost:8080")
        .find(|part| part.contains("/hello-world/</link>"))
        .and_then(|part| part.split("</link>").next())
        .unwrap();
    let post = task.get_with(link, &[HOST]);
    assert_eq!(post.status, 200, "{link}");
    assert!(post.text().contains("Welcome to WordPress"));
    assert_eq!(task.get_with("/no-such-page/", &[HOST]).status, 404);
    for path in [
        "/wp-includes/css/dashicons.min.css",
        "/wp-content/themes/twentytwentythree/style.css",
    ] {
        assert_eq!(task.get_with(path, &[HOST]).status, 200, "{path}");
    }
    let packed = task.get_with("/", &[HOST, ("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
}

fn forbidden(task: &Task) {
    task.shell("echo '<?php echo 1;' > /var/lib/wordpress/wp-content/uploads/evil.php");
    for path in [
        "/wp-content/uploads/evil.php",
        "/wp-content/uploads/evil.php/x",
        "/wp-content/plugins/akismet/akismet.php",
        "/wp-config.php",
        "/wp-cron.php",
        "/xmlrpc.php",
        "/wp-includes/version.php",
        "/wp-admin/includes/file.php",
        "/wp-admin/install.php",
        "/wp-admin/setup-config.php",
        "/readme.html",
        "/.htaccess",
    ] {
        assert_eq!(task.get_with(path, &[HOST]).status, 403, "{path}");
    }
}

fn log_in(task: &Task) {
    let page = task.get_with("/wp-login.php", &[HOST]);
    assert_eq!(page.status, 200);
    let attempt = |password: &str| {
        task.request(
            80,
            "POST",
            "/wp-login.php",
            &[
                HOST,
                ("Cookie", "wordpress_test_cookie=WP%20Cookie%20check"),
                ("Content-Type", "application/x-www-form-urlencoded"),
                ("X-Request-Id", "login-1"),
            ],
            &format!("log=owner&pwd={password}&testcookie=1"),
        )
    };
    assert_eq!(attempt("wrong").status, 200);
    let welcome = attempt("pass%27word%5Cof%20%22admin");
    assert_eq!(welcome.status, 302, "{}", welcome.text());
    let cookies: Vec<String> = welcome
        .headers
        .lines()
        .filter_map(|line| line.strip_prefix("Set-Cookie: "))
        .filter_map(|cookie| cookie.split(';').next())
        .map(str::to_owned)
        .collect();
    let cookie = cookies.join("; ");
    let dashboard = task.get_with("/wp-admin/profile.php", &[HOST, ("Cookie", &cookie)]);
    assert_eq!(dashboard.status, 200, "{}", dashboard.headers);
    assert!(dashboard.text().contains("owner@example.com"));
    let editor = task.get_with("/wp-admin/plugin-install.php", &[HOST, ("Cookie", &cookie)]);
    assert_eq!(
        editor.status, 403,
        "files cannot be changed through the browser"
    );
    for server in ["nginx", "php"] {
        let log = task.log_with(server, "login-1");
        for secret in ["word-of", "word%5C", r"word\of"] {
            assert!(!log.contains(secret), "no secret in {server}'s log");
        }
    }
}

/// The site's address is fixed, so WordPress redirects no request that came by TLS to another.
fn behind_https(task: &Task) {
    let answer = task.get_with("/wp-login.php", &[HOST, ("X-Forwarded-Proto", "https")]);
    assert_eq!(answer.status, 200);
}

fn cron(task: &Task, command: &[String]) {
    let due = "mariadb --no-defaults --socket=/run/db.sock -N wordpress -e \"SELECT option_value FROM wp_options WHERE option_name = 'cron'\"";
    let before = task.shell(due);
    assert_eq!(task.run_well(command), "");
    assert_ne!(
        task.shell(due),
        before,
        "due events have run and are planned anew"
    );
}

fn uploads(task: &Task) {
    task.run_well(&[
        "sh".to_owned(),
        "-c".to_owned(),
        "echo picture > /var/lib/wordpress/wp-content/uploads/a.txt".to_owned(),
    ]);
    let answer = task.get_with("/wp-content/uploads/a.txt", &[HOST]);
    assert_eq!(answer.text(), "picture\n");
    assert_eq!(
        task.get_with("/wp-content/uploads/b.txt", &[HOST]).status,
        404
    );
}
