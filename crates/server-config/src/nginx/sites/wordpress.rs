//! WordPress as Debian packages it: code under `/usr/share`, content under `/var/lib`.

use super::super::writer::{ConfigWriter, quoted};
use super::{deny_hidden_files, health_check};

/// PHP files that WordPress includes, runs at installation only, or that this kit replaces:
/// `wp-cron.php` by a scheduled job. `xmlrpc.php` is the usual door of password guessing.
const FORBIDDEN_PHP: [&str; 8] = [
    "wp-config",
    "wp-config-sample",
    "wp-cron",
    "wp-load",
    "wp-mail",
    "wp-settings",
    "wp-admin/install",
    "wp-admin/setup-config",
];

pub(super) fn render(out: &mut ConfigWriter, content_parent: &str, health_check_directory: &str) {
    out.line("index index.php;");
    out.line("charset UTF-8;");
    deny_hidden_files(out);
    health_check(out, health_check_directory);
    out.deny("= /xmlrpc.php");
    out.deny("= /readme.html");
    out.deny(&format!(r"~* ^/({})\.php$", FORBIDDEN_PHP.join("|")));
    out.comment(
        "Uploads, themes and plugins are data to the web server; PHP there is included only.",
    );
    out.deny(r"~* ^/(wp-content|wp-includes|wp-admin/includes)/.*\.(php\d?|phtml|phar)(/|$)");
    out.block(r"location ~ \.php$", |out| {
        out.line("try_files $uri =404;");
        out.line("fastcgi_pass php_fpm;");
    });
    out.block("location /", |out| {
        out.line("try_files $uri $uri/ /index.php$is_args$args;");
    });
    out.block("location /wp-content/", |out| {
        out.line(&format!("root {};", quoted(content_parent)));
        out.line("try_files $uri =404;");
        out.line("expires 30d;");
    });
    out.block("location /wp-includes/", |out| {
        out.line("try_files $uri =404;");
        out.line("expires 30d;");
    });
}
