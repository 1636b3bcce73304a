//! Magento 1 and OpenMage: scripts that its containers run.
//!
//! Its configuration is a file with secrets in it, `app/etc/local.xml`. No release holds it: each
//! task writes its own from the environment, into a private writable copy of `app/etc`, before
//! php-fpm starts. The same holds for one-off commands and jobs.

/// PHP script that writes `local.xml` and switches the Redis session module on; its argument is
/// the code's folder. With `--only-modules` it leaves `local.xml` out, for an installation.
pub const LOCAL_XML_SCRIPT: &str = include_str!("local_xml.php");

/// PHP script that installs the store once; its argument is the code's folder.
pub const INSTALL_SCRIPT: &str = include_str!("install.php");

/// PHP script that runs a new release's setup scripts, or with `--cache-only` flushes the cache;
/// its first argument is the code's folder.
pub const UPGRADE_SCRIPT: &str = include_str!("upgrade.php");

/// PHP file behind `/health_check.php`.
pub const HEALTH_CHECK: &str = include_str!("health_check.php");
