//! The variables that each preset reads.

use super::{VariableContract, WebPreset};

const fn required(name: &'static str) -> VariableContract {
    VariableContract {
        name,
        secret: false,
        required: true,
    }
}

const fn optional(name: &'static str) -> VariableContract {
    VariableContract {
        name,
        secret: false,
        required: false,
    }
}

const fn secret(name: &'static str) -> VariableContract {
    VariableContract {
        name,
        secret: true,
        required: true,
    }
}

const fn optional_secret(name: &'static str) -> VariableContract {
    VariableContract {
        name,
        secret: true,
        required: false,
    }
}

/// Beside these, Magento 2 reads what `magento2::deployment_environment` gives.
const MAGENTO2: [VariableContract; 8] = [
    secret("MAGE_ADMIN_PASSWORD"),
    required("MAGE_ADMIN_EMAIL"),
    optional("MAGE_ADMIN_USER"),
    optional("MAGE_ADMIN_FIRSTNAME"),
    optional("MAGE_ADMIN_LASTNAME"),
    optional("MAGE_LOCALE"),
    optional("MAGE_TIMEZONE"),
    optional("MAGE_CURRENCY"),
];

const MAGENTO1: [VariableContract; 24] = [
    required("MYSQL_HOST"),
    required("MYSQL_DATABASE"),
    required("MYSQL_USER"),
    secret("MYSQL_PASSWORD"),
    required("REDIS_CACHE_HOST"),
    optional("REDIS_CACHE_PORT"),
    optional_secret("REDIS_CACHE_PASSWORD"),
    required("REDIS_SESSION_HOST"),
    optional("REDIS_SESSION_PORT"),
    optional_secret("REDIS_SESSION_PASSWORD"),
    secret("MAGE_CRYPT_KEY"),
    required("MAGE_INSTALL_DATE"),
    required("MAGE_BASE_URL"),
    optional("MAGE_TABLE_PREFIX"),
    optional("CACHE_PREFIX"),
    optional("MAGE_ADMIN_FRONTNAME"),
    secret("MAGE_ADMIN_PASSWORD"),
    required("MAGE_ADMIN_EMAIL"),
    optional("MAGE_ADMIN_USER"),
    optional("MAGE_ADMIN_FIRSTNAME"),
    optional("MAGE_ADMIN_LASTNAME"),
    optional("MAGE_LOCALE"),
    optional("MAGE_TIMEZONE"),
    optional("MAGE_CURRENCY"),
];

const WORDPRESS: [VariableContract; 19] = [
    required("DB_HOST"),
    required("DB_NAME"),
    required("DB_USER"),
    secret("DB_PASSWORD"),
    optional("DB_TABLE_PREFIX"),
    secret("AUTH_KEY"),
    secret("SECURE_AUTH_KEY"),
    secret("LOGGED_IN_KEY"),
    secret("NONCE_KEY"),
    secret("AUTH_SALT"),
    secret("SECURE_AUTH_SALT"),
    secret("LOGGED_IN_SALT"),
    secret("NONCE_SALT"),
    required("WP_HOME"),
    optional("WP_SITEURL"),
    secret("WP_ADMIN_PASSWORD"),
    required("WP_ADMIN_EMAIL"),
    optional("WP_ADMIN_USER"),
    optional("WP_TITLE"),
];

const STOREFRONT: [VariableContract; 20] = [
    required("MYSQL_HOST"),
    optional("MYSQL_READER_HOST"),
    optional("MYSQL_PORT"),
    required("MYSQL_DATABASE"),
    required("MYSQL_USER"),
    secret("MYSQL_PASSWORD"),
    optional("MAGE_TABLE_PREFIX"),
    required("REDIS_CACHE_HOST"),
    optional("REDIS_CACHE_PORT"),
    optional_secret("REDIS_CACHE_PASSWORD"),
    required("REDIS_SESSION_HOST"),
    optional("REDIS_SESSION_PORT"),
    optional_secret("REDIS_SESSION_PASSWORD"),
    optional("CACHE_PREFIX"),
    optional("MAGE_MODE"),
    required("BASE_URL"),
    secret("CRYPT_KEY"),
    optional("ADMIN_USER"),
    secret("ADMIN_PASSWORD"),
    optional("TASK_ID"),
];

pub(super) fn environment(preset: WebPreset) -> Vec<VariableContract> {
    match preset {
        WebPreset::Magento2 => MAGENTO2.to_vec(),
        WebPreset::Magento1 => MAGENTO1.to_vec(),
        WebPreset::WordPress => WORDPRESS.to_vec(),
        WebPreset::Storefront => STOREFRONT.to_vec(),
        WebPreset::Php => Vec::new(),
    }
}
