<?php
/*
 * Brings the database to the version of the code, or with --cache-only just forgets what is cached.
 */
declare(strict_types=1);

$_SERVER['HTTP_HOST'] = (string) parse_url((string) getenv('WP_HOME'), PHP_URL_HOST) ?: 'localhost';
define('WP_INSTALLING', true);
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

if (($argv[1] ?? '') === '--cache-only') {
    wp_cache_flush();
    delete_expired_transients(true);
    echo "caches flushed\n";
    exit(0);
}
global $wpdb;
if ($wpdb->get_var("SELECT GET_LOCK('wordpress-install', 120)") !== '1') {
    fwrite(STDERR, "another upgrade has held the lock for 2 minutes\n");
    exit(75);
}
wp_upgrade();
echo 'database version ' . get_option('db_version') . "\n";
