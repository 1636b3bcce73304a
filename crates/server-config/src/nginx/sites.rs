//! What each kind of app serves: the body of the site's `server` block.

mod magento1;
mod magento2;
mod plain;
mod wordpress;

use super::writer::{ConfigWriter, quoted, regex_literal};

/// The rules of a site, by the kind of app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Site {
    /// Magento 2.4, by its own `nginx.conf.sample`.
    Magento2 {
        /// Magento's root; the site's document root is `pub` in it.
        magento_root: String,
        /// Production mode: static files never change under one deployment version.
        production: bool,
    },
    /// Magento 1 or OpenMage: the code's root is the document root.
    Magento1 {
        /// The code's root.
        magento_root: String,
        /// Folder outside the document root with the `health_check.php` to run.
        health_check_directory: String,
    },
    /// WordPress from Debian's packages.
    WordPress {
        /// WordPress's code, `/usr/share/wordpress`.
        code: String,
        /// The folder that holds `wp-content`, `/var/lib/wordpress`.
        content_parent: String,
        /// Folder outside the document root with the `health_check.php` to run.
        health_check_directory: String,
    },
    /// The storefront example: Magento's contract with one front controller.
    Storefront {
        /// The app's root; the site's document root is `pub` in it.
        root: String,
    },
    /// Any other PHP app.
    Php {
        /// Folder that is served.
        document_root: String,
        /// PHP file that answers whatever is not a file, relative to the document root.
        front_controller: String,
        /// Further PHP files that may be requested, relative to the document root.
        php_entry_points: Vec<String>,
    },
}

impl Site {
    /// The folder that is served.
    #[must_use]
    pub fn document_root(&self) -> String {
        match self {
            Self::Magento2 { magento_root, .. } => format!("{magento_root}/pub"),
            Self::Magento1 { magento_root, .. } => magento_root.clone(),
            Self::WordPress { code, .. } => code.clone(),
            Self::Storefront { root } => format!("{root}/pub"),
            Self::Php { document_root, .. } => document_root.clone(),
        }
    }

    /// The PHP files that a request may run, relative to the document root. WordPress, whose
    /// administration is made of many, has none here: its rules name what is forbidden.
    #[must_use]
    pub fn php_entry_points(&self) -> Vec<String> {
        let fixed: &[&str] = match self {
            Self::Magento2 { .. } => &magento2::PHP_ENTRY_POINTS,
            Self::Magento1 { .. } => &magento1::PHP_ENTRY_POINTS,
            Self::WordPress { .. } => &[],
            Self::Storefront { .. } => &plain::STOREFRONT_PHP_ENTRY_POINTS,
            Self::Php {
                front_controller,
                php_entry_points,
                ..
            } => {
                let mut all = vec![front_controller.clone()];
                all.extend(
                    php_entry_points
                        .iter()
                        .filter(|entry| *entry != front_controller)
                        .cloned(),
                );
                return all;
            }
        };
        fixed.iter().map(|&entry| entry.to_owned()).collect()
    }

    pub(super) fn render(&self, out: &mut ConfigWriter) {
        out.line(&format!("root {};", quoted(&self.document_root())));
        out.line("autoindex off;");
        match self {
            Self::Magento2 { production, .. } => {
                magento2::render(out, &self.document_root(), *production);
            }
            Self::Magento1 {
                health_check_directory,
                ..
            } => magento1::render(out, health_check_directory),
            Self::WordPress {
                content_parent,
                health_check_directory,
                ..
            } => wordpress::render(out, content_parent, health_check_directory),
            Self::Storefront { .. } => plain::render_storefront(out),
            Self::Php {
                front_controller, ..
            } => plain::render(out, front_controller, &self.php_entry_points()),
        }
    }
}

/// Files of editors, version control and web servers: `.git`, `.env`, `.htaccess`, `.user.ini`.
/// `/.well-known/` is public by RFC 8615.
fn deny_hidden_files(out: &mut ConfigWriter) {
    out.deny(r"~ /\.(?!well-known/)");
}

/// Answers `/health_check.php` with the file of that name in `directory`, where the app's code has
/// none.
fn health_check(out: &mut ConfigWriter, directory: &str) {
    out.block("location = /health_check.php", |out| {
        out.line(&format!("root {};", quoted(directory)));
        out.line("fastcgi_pass php_fpm;");
    });
}

/// Runs `entry_points` in PHP and forbids every other PHP file.
fn php_entry_points(out: &mut ConfigWriter, entry_points: &[String]) {
    let alternatives: Vec<String> = entry_points
        .iter()
        .map(|entry| regex_literal(entry))
        .collect();
    let location = format!("location ~ \"^/({})$\"", alternatives.join("|"));
    out.block(&location, |out| {
        out.line("try_files $uri =404;");
        out.line("fastcgi_pass php_fpm;");
    });
    out.deny(r"~* \.(php\d?|phtml|phar)$");
}
