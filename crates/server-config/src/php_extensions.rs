//! The PHP extensions that each kind of app needs, checked before it starts.

use crate::web_preset::WebPreset;

/// An extension and the Debian 12 package that brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhpExtension {
    /// Its name as `php -m` prints it, in lower case.
    pub name: &'static str,
    /// The Debian package.
    pub debian_package: &'static str,
}

const fn extension(name: &'static str, debian_package: &'static str) -> PhpExtension {
    PhpExtension {
        name,
        debian_package,
    }
}

const COMMON: &str = "php8.2-common";
const CLI: &str = "php8.2-cli";

/// Magento Open Source 2.4.7's `composer.json`, and `opcache` for speed. Its Redis client needs no
/// extension.
const MAGENTO2: [PhpExtension; 26] = [
    extension("bcmath", "php8.2-bcmath"),
    extension("ctype", COMMON),
    extension("curl", "php8.2-curl"),
    extension("dom", "php8.2-xml"),
    extension("fileinfo", COMMON),
    extension("filter", CLI),
    extension("ftp", COMMON),
    extension("gd", "php8.2-gd"),
    extension("hash", CLI),
    extension("iconv", COMMON),
    extension("intl", "php8.2-intl"),
    extension("json", CLI),
    extension("libxml", CLI),
    extension("mbstring", "php8.2-mbstring"),
    extension("openssl", CLI),
    extension("pcre", CLI),
    extension("pdo_mysql", "php8.2-mysql"),
    extension("simplexml", "php8.2-xml"),
    extension("soap", "php8.2-soap"),
    extension("sockets", COMMON),
    extension("sodium", CLI),
    extension("tokenizer", COMMON),
    extension("xmlwriter", "php8.2-xml"),
    extension("xsl", "php8.2-xml"),
    extension("zip", "php8.2-zip"),
    extension("zend opcache", "php8.2-opcache"),
];

/// OpenMage 19.4 on PHP 8.2.
const MAGENTO1: [PhpExtension; 17] = [
    extension("bcmath", "php8.2-bcmath"),
    extension("ctype", COMMON),
    extension("curl", "php8.2-curl"),
    extension("dom", "php8.2-xml"),
    extension("gd", "php8.2-gd"),
    extension("hash", CLI),
    extension("iconv", COMMON),
    extension("intl", "php8.2-intl"),
    extension("json", CLI),
    extension("mbstring", "php8.2-mbstring"),
    extension("pdo_mysql", "php8.2-mysql"),
    extension("redis", "php8.2-redis"),
    extension("simplexml", "php8.2-xml"),
    extension("soap", "php8.2-soap"),
    extension("xml", "php8.2-xml"),
    extension("zip", "php8.2-zip"),
    extension("zend opcache", "php8.2-opcache"),
];

const WORDPRESS: [PhpExtension; 11] = [
    extension("curl", "php8.2-curl"),
    extension("dom", "php8.2-xml"),
    extension("exif", COMMON),
    extension("fileinfo", COMMON),
    extension("gd", "php8.2-gd"),
    extension("intl", "php8.2-intl"),
    extension("mbstring", "php8.2-mbstring"),
    extension("mysqli", "php8.2-mysql"),
    extension("openssl", CLI),
    extension("zip", "php8.2-zip"),
    extension("zend opcache", "php8.2-opcache"),
];

const STOREFRONT: [PhpExtension; 5] = [
    extension("gd", "php8.2-gd"),
    extension("json", CLI),
    extension("pdo_mysql", "php8.2-mysql"),
    extension("redis", "php8.2-redis"),
    extension("zend opcache", "php8.2-opcache"),
];

const PHP: [PhpExtension; 1] = [extension("zend opcache", "php8.2-opcache")];

/// The extensions that `preset` cannot run without.
#[must_use]
pub fn required_php_extensions(preset: WebPreset) -> &'static [PhpExtension] {
    match preset {
        WebPreset::Magento2 => &MAGENTO2,
        WebPreset::Magento1 => &MAGENTO1,
        WebPreset::WordPress => &WORDPRESS,
        WebPreset::Storefront => &STOREFRONT,
        WebPreset::Php => &PHP,
    }
}

/// The extensions of `preset` that are not in `php_dash_m_output`, the output of `php -m`.
#[must_use]
pub fn missing_php_extensions(preset: WebPreset, php_dash_m_output: &str) -> Vec<PhpExtension> {
    let loaded: Vec<String> = php_dash_m_output
        .lines()
        .map(|line| line.trim().to_lowercase())
        .filter(|line| !line.is_empty() && !line.starts_with('['))
        .collect();
    required_php_extensions(preset)
        .iter()
        .filter(|needed| !loaded.iter().any(|name| name == needed.name))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_is_missing_from_a_bare_php() {
        let missing = missing_php_extensions(WebPreset::Storefront, "[PHP Modules]\nCore\n");
        assert_eq!(missing, STOREFRONT);
    }

    #[test]
    fn names_are_compared_without_case_and_whole() {
        let output =
            "[PHP Modules]\nGD\nJSON\npdo_mysql_old\nredis\n\n[Zend Modules]\nZend OPcache\n";
        assert_eq!(
            missing_php_extensions(WebPreset::Storefront, output),
            [extension("pdo_mysql", "php8.2-mysql")]
        );
    }

    #[test]
    fn this_machine_has_what_every_preset_needs() {
        let output = std::process::Command::new("php")
            .arg("-m")
            .output()
            .expect("the tests need the `php` program");
        let modules = String::from_utf8(output.stdout).unwrap();
        for preset in WebPreset::ALL {
            assert_eq!(missing_php_extensions(preset, &modules), [], "{preset:?}");
        }
    }
}
