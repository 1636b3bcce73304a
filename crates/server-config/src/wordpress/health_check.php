<?php
/*
 * Readiness: the database answers within two seconds and holds an installed site. It does not
 * load WordPress, which would count a visit and wait longer.
 */
declare(strict_types=1);

header('Content-Type: text/plain; charset=utf-8');
header('Cache-Control: no-store');
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
try {
    $database = mysqli_init();
    $database->options(MYSQLI_OPT_CONNECT_TIMEOUT, 2);
    $database->options(MYSQLI_OPT_READ_TIMEOUT, 2);
    [$host, $port] = array_pad(explode(':', (string) getenv('DB_HOST'), 2), 2, '3306');
    $database->real_connect($host, (string) getenv('DB_USER'), (string) getenv('DB_PASSWORD'), (string) getenv('DB_NAME'), (int) $port);
    $prefix = str_replace('`', '', getenv('DB_TABLE_PREFIX') ?: 'wp_');
    $database->query("SELECT 1 FROM `{$prefix}options` WHERE option_name = 'siteurl'")->fetch_row() ?? throw new RuntimeException();
    echo "healthy\n";
} catch (mysqli_sql_exception | RuntimeException) {
    http_response_code(503);
    echo "the database does not answer or holds no site\n";
}
