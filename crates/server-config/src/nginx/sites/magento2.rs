//! Magento 2.4, by its `nginx.conf.sample`, with the web installer and updater closed: an
//! immutable release is never set up through a browser.

use super::super::writer::{ConfigWriter, quoted};
use super::{deny_hidden_files, php_entry_points};

pub(super) const PHP_ENTRY_POINTS: [&str; 7] = [
    "index.php",
    "get.php",
    "static.php",
    "errors/report.php",
    "errors/404.php",
    "errors/503.php",
    "health_check.php",
];

const FRAME_OPTIONS: &str = "add_header X-Frame-Options \"SAMEORIGIN\";";
const STATIC_FALLBACK: &str = "rewrite ^/static/(version\\d*/)?(.*)$ /static.php?resource=$2 last;";
const MEDIA_FALLBACK: &str = "try_files $uri $uri/ /get.php$is_args$args;";
const ARCHIVES: &str = r"~* \.(zip|gz|gzip|bz2|csv|xml)$";

pub(super) fn render(out: &mut ConfigWriter, document_root: &str, production: bool) {
    out.line("index index.php;");
    out.line("charset UTF-8;");
    out.line("error_page 404 403 = /errors/404.php;");
    out.deny("~* ^/(setup|update)($|/)");
    deny_hidden_files(out);
    php_entry_points(out, &PHP_ENTRY_POINTS.map(str::to_owned));
    out.block("location /", |out| {
        out.line("try_files $uri $uri/ /index.php$is_args$args;");
    });
    out.comment("Links of the time when the document root was Magento's root.");
    out.block("location /pub/", |out| {
        out.deny(
            r"~ ^/pub/media/(downloadable|customer|import|custom_options|theme_customization/.*\.xml)",
        );
        out.line(&format!("alias {};", quoted(&format!("{document_root}/"))));
        out.line(FRAME_OPTIONS);
    });
    out.block("location /static/", |out| static_files(out, production));
    out.block("location /media/", media_files);
    for folder in ["customer", "downloadable", "import", "custom_options"] {
        out.deny(&format!("^~ /media/{folder}/"));
    }
    out.block("location /errors/", |out| out.deny(r"~* \.xml$"));
}

fn static_files(out: &mut ConfigWriter, production: bool) {
    if production {
        out.line("expires max;");
    }
    out.comment("The version in the path only defeats the browser's cache.");
    out.block(r"location ~ ^/static/version\d*/", |out| {
        out.line(r"rewrite ^/static/version\d*/(.*)$ /static/$1 last;");
    });
    out.block(
        r"location ~* \.(ico|jpg|jpeg|png|gif|svg|svgz|webp|avif|avifs|js|css|eot|ttf|otf|woff|woff2|html|json|webmanifest)$",
        |out| {
            out.line("add_header Cache-Control \"public\";");
            out.line(FRAME_OPTIONS);
            out.line("expires +1y;");
            out.block("if (!-f $request_filename)", |out| out.line(STATIC_FALLBACK));
        },
    );
    out.block(&format!("location {ARCHIVES}"), |out| {
        out.line("add_header Cache-Control \"no-store\";");
        out.line(FRAME_OPTIONS);
        out.line("expires off;");
        out.block("if (!-f $request_filename)", |out| {
            out.line(STATIC_FALLBACK);
        });
    });
    out.block("if (!-f $request_filename)", |out| {
        out.line(STATIC_FALLBACK);
    });
    out.line(FRAME_OPTIONS);
}

pub(super) fn media_files(out: &mut ConfigWriter) {
    out.line(MEDIA_FALLBACK);
    out.deny(r"~ ^/media/theme_customization/.*\.xml");
    out.block(
        r"location ~* \.(ico|jpg|jpeg|png|gif|svg|svgz|webp|avif|avifs|js|css|eot|ttf|otf|woff|woff2)$",
        |out| {
            out.line("add_header Cache-Control \"public\";");
            out.line(FRAME_OPTIONS);
            out.line("expires +1y;");
            out.line(MEDIA_FALLBACK);
        },
    );
    out.block(&format!("location {ARCHIVES}"), |out| {
        out.line("add_header Cache-Control \"no-store\";");
        out.line(FRAME_OPTIONS);
        out.line("expires off;");
        out.line(MEDIA_FALLBACK);
    });
    out.line(FRAME_OPTIONS);
}
