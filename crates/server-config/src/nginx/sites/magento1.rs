//! Magento 1 and OpenMage: the code's root is the document root, so everything that is code or
//! state must be forbidden by name.

use super::super::writer::ConfigWriter;
use super::{deny_hidden_files, health_check, php_entry_points};

pub(super) const PHP_ENTRY_POINTS: [&str; 6] = [
    "index.php",
    "get.php",
    "api.php",
    "errors/report.php",
    "errors/404.php",
    "errors/503.php",
];

/// Folders with nothing for a browser in them. `shell`, `dev` and `downloader` run code,
/// `var` holds reports and exports, `pkginfo` and `vendor` tell versions.
const FORBIDDEN_FOLDERS: [&str; 10] = [
    "app",
    "includes",
    "lib",
    "var",
    "pkginfo",
    "shell",
    "dev",
    "downloader",
    "vendor",
    "report",
];

const FORBIDDEN_MEDIA: [&str; 4] = ["customer", "downloadable", "import", "custom_options"];

pub(super) fn render(out: &mut ConfigWriter, health_check_directory: &str) {
    out.line("index index.php;");
    out.line("charset UTF-8;");
    for folder in FORBIDDEN_FOLDERS {
        out.deny(&format!("^~ /{folder}/"));
    }
    for folder in FORBIDDEN_MEDIA {
        out.deny(&format!("^~ /media/{folder}/"));
    }
    deny_hidden_files(out);
    health_check(out, health_check_directory);
    out.deny(r"~* ^/(composer\.(json|lock)|[^/]+\.(sh|sample|md|txt\.sample|patch|phar|sql|dist|neon)|cron\.(php|sh)|install\.php)$");
    php_entry_points(out, &PHP_ENTRY_POINTS.map(str::to_owned));
    out.block("location /", |out| {
        out.line("try_files $uri $uri/ @handler;");
    });
    out.block("location @handler", |out| {
        out.line("rewrite ^ /index.php last;");
    });
    out.comment("The three APIs share one entry point, told apart by the type argument.");
    out.block("location /api", |out| {
        for api in ["rest", "v2_soap", "soap"] {
            out.line(&format!("rewrite ^/api/{api} /api.php?type={api} last;"));
        }
        out.line("try_files $uri @handler;");
    });
    out.block("location /media/", |out| {
        out.line("try_files $uri $uri/ /get.php$is_args$args;");
        out.line("expires 1y;");
        out.line("add_header Cache-Control \"public\";");
    });
    for folder in ["skin", "js"] {
        out.block(&format!("location /{folder}/"), |out| {
            out.line("try_files $uri =404;");
            out.line("expires 1y;");
            out.line("add_header Cache-Control \"public\";");
        });
    }
    out.block("location /errors/", |out| {
        out.deny(r"~* \.(xml|phtml|sample)$");
    });
}
