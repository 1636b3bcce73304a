<?php
/*
 * Runs the events that are due. Page views do not, so that visitors never wait for them.
 */
declare(strict_types=1);

$_SERVER['HTTP_HOST'] = (string) parse_url((string) getenv('WP_HOME'), PHP_URL_HOST) ?: 'localhost';
$_SERVER['REQUEST_METHOD'] = 'GET';
require '/usr/share/wordpress/wp-cron.php';
