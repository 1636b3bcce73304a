//! Configuration files and command lines of the servers that an environment runs, as pure functions.
//!
//! Every module takes plain structs and returns text or argument lists; nothing here reads, writes or
//! starts anything. No argument list holds a secret: texts with a secret in them are
//! [`secret::Secret`] values of their own, to be written 0600 and included.

pub mod dnsmasq;
pub mod haproxy;
pub mod magento1;
pub mod magento2;
pub mod mariadb;
pub mod memcached;
pub mod nginx;
pub mod php_extensions;
pub mod php_fpm;
pub mod redis;
pub mod secret;
pub mod sshd;
pub mod text;
pub mod user_data;
pub mod web_preset;
pub mod wordpress;
