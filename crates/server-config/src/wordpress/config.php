<?php
/*
 * WordPress's configuration, from the environment. Debian's wp-config.php includes it.
 */
declare(strict_types=1);

(static function (): void {
    $value = static function (string $name, ?string $default = null): string {
        $value = getenv($name);
        if ($value === false || $value === '') {
            if ($default === null) {
                http_response_code(500);
                error_log("WordPress cannot start: the environment variable $name is not set");
                exit(78);
            }
            return $default;
        }
        return $value;
    };
    foreach (['DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_HOST'] as $name) {
        define($name, $value($name));
    }
    define('DB_CHARSET', 'utf8mb4');
    define('DB_COLLATE', '');
    foreach (['AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE'] as $use) {
        define("{$use}_KEY", $value("{$use}_KEY"));
        define("{$use}_SALT", $value("{$use}_SALT"));
    }
    /* nginx sets HTTPS only by the word of the load balancer. */
    $scheme = ($_SERVER['HTTPS'] ?? '') === 'on' ? 'https' : 'http';
    unset($_SERVER['HTTP_X_FORWARDED_PROTO']);
    $host = preg_replace('/[^A-Za-z0-9.:\-\[\]]/', '', $_SERVER['HTTP_HOST'] ?? 'localhost');
    $home = rtrim($value('WP_HOME', "$scheme://$host"), '/');
    define('WP_HOME', $home);
    define('WP_SITEURL', rtrim($value('WP_SITEURL', $home), '/'));
    define('FORCE_SSL_ADMIN', str_starts_with($home, 'https:'));
    define('WP_CONTENT_DIR', '/var/lib/wordpress/wp-content');
    define('WP_TEMP_DIR', '/tmp');
    define('WP_ALLOW_MULTISITE', false);
    define('DISABLE_WP_CRON', true);
    define('DISALLOW_FILE_MODS', true);
    define('AUTOMATIC_UPDATER_DISABLED', true);
    define('WP_DEBUG_DISPLAY', false);
    $GLOBALS['table_prefix'] = $value('DB_TABLE_PREFIX', 'wp_');
})();
$table_prefix = $GLOBALS['table_prefix'];
