//! WordPress from Debian's packages: its configuration and the scripts that its containers run.

/// Where Debian's package has the code.
pub const CODE_DIRECTORY: &str = "/usr/share/wordpress";

/// The folder with `wp-content`, which Debian keeps apart from the code.
pub const CONTENT_PARENT: &str = "/var/lib/wordpress";

/// Where uploads are: the shared file system's mount point.
pub const UPLOADS_DIRECTORY: &str = "/var/lib/wordpress/wp-content/uploads";

/// Value of the variable `WORDPRESS_CONFIG`, by which Debian's `wp-config.php` picks its file.
pub const CONFIG_NAME: &str = "magecloudkit";

/// The file that Debian's `wp-config.php` includes for [`CONFIG_NAME`].
pub const CONFIG_PATH: &str = "/etc/wordpress/config-magecloudkit.php";

/// The configuration: it reads everything from the environment.
pub const CONFIG: &str = include_str!("config.php");

/// PHP script that installs the site once.
pub const INSTALL_SCRIPT: &str = include_str!("install.php");

/// PHP script that upgrades the database, or with `--cache-only` forgets what is cached.
pub const UPGRADE_SCRIPT: &str = include_str!("upgrade.php");

/// PHP script that runs the events that are due.
pub const CRON_SCRIPT: &str = include_str!("cron.php");

/// PHP file behind `/health_check.php`.
pub const HEALTH_CHECK: &str = include_str!("health_check.php");
