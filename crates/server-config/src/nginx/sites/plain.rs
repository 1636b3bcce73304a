//! Apps with one front controller.

use super::super::writer::{ConfigWriter, quoted};
use super::{deny_hidden_files, magento2, php_entry_points};

pub(super) const STOREFRONT_PHP_ENTRY_POINTS: [&str; 3] =
    ["index.php", "get.php", "health_check.php"];

pub(super) fn render(out: &mut ConfigWriter, front_controller: &str, entry_points: &[String]) {
    out.line(&format!("index {};", quoted(front_controller)));
    deny_hidden_files(out);
    php_entry_points(out, entry_points);
    out.block("location /", |out| {
        out.line(&format!(
            "try_files $uri $uri/ {};",
            quoted(&format!("/{front_controller}$is_args$args"))
        ));
    });
}

pub(super) fn render_storefront(out: &mut ConfigWriter) {
    render(
        out,
        "index.php",
        &STOREFRONT_PHP_ENTRY_POINTS.map(str::to_owned),
    );
    out.comment("The version in the path only defeats the browser's cache.");
    out.block("location /static/", |out| {
        out.line(r"rewrite ^/static/version\d*/(.*)$ /static/$1 break;");
        out.line("try_files $uri =404;");
        out.line("expires 1y;");
        out.line("add_header Cache-Control \"public\";");
        out.line("add_header X-Frame-Options \"SAMEORIGIN\";");
    });
    out.block("location /media/", magento2::media_files);
    for folder in ["customer", "downloadable", "import", "custom_options"] {
        out.deny(&format!("^~ /media/{folder}/"));
    }
}
