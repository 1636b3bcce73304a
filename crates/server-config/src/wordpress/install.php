<?php
/*
 * Installs WordPress once and without a question.
 */
declare(strict_types=1);

function setting(string $name, ?string $default = null): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        if ($default === null) {
            fwrite(STDERR, "WordPress cannot be installed: the environment variable $name is not set\n");
            exit(78);
        }
        return $default;
    }
    return $value;
}

/* WordPress would mail the password's hint to the administrator, from a container without mail. */
function wp_new_blog_notification(): void
{
}

$title = setting('WP_TITLE', 'WordPress');
$user = setting('WP_ADMIN_USER', 'admin');
$email = setting('WP_ADMIN_EMAIL');
$password = setting('WP_ADMIN_PASSWORD');
setting('WP_HOME');

const PERMALINKS = '/%year%/%monthnum%/%day%/%postname%/';
$_SERVER['HTTP_HOST'] = (string) parse_url(setting('WP_HOME'), PHP_URL_HOST);
define('WP_INSTALLING', true);
require '/usr/share/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

global $wpdb;
if ($wpdb->get_var("SELECT GET_LOCK('wordpress-install', 120)") !== '1') {
    fwrite(STDERR, "another installation has held the lock for 2 minutes\n");
    exit(75);
}
/* wp_install() makes the administrator after the tables: with one, it had finished. */
if ($wpdb->get_var("SHOW TABLES LIKE '{$wpdb->users}'") === $wpdb->users
    && (int) $wpdb->get_var("SELECT COUNT(*) FROM {$wpdb->users}") > 0) {
    echo "WordPress is installed already\n";
    exit(0);
}
/* Else WordPress tries which links work by a request to a site that is not served yet. */
add_filter('pre_option_permalink_structure', static fn (): string => PERMALINKS);
wp_install($title, $user, $email, true, '', wp_slash($password));
remove_all_filters('pre_option_permalink_structure');
update_option('permalink_structure', PERMALINKS);
$wp_rewrite->init();
$wp_rewrite->flush_rules(false);
echo "WordPress is installed\n";
