<?php
/*
 * Installs Magento 2 once. bin/magento takes its settings as arguments only; they are set inside
 * this process, so that no password is in an argument list that the machine's other processes
 * can read.
 */

function setting(string $name, ?string $default = null): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        if ($default === null) {
            fwrite(STDERR, "Magento cannot be installed: the environment variable $name is not set\n");
            exit(78);
        }
        return $default;
    }
    return $value;
}

function database(string $key, ?string $default = null): string
{
    return setting('MAGENTO_DC_DB__CONNECTION__DEFAULT__' . $key, $default);
}

function connect(): PDO
{
    [$host, $port] = array_pad(explode(':', database('HOST'), 2), 2, '3306');
    return new PDO(
        "mysql:host=$host;port=$port;dbname=" . database('DBNAME'),
        database('USERNAME'),
        database('PASSWORD'),
        [PDO::ATTR_TIMEOUT => 5, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
}

/* The installer makes the administrator last: with one, it had finished. */
function is_installed(PDO $database): bool
{
    $table = setting('MAGENTO_DC_DB__TABLE_PREFIX', '') . 'admin_user';
    $exists = $database->prepare(
        'SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?'
    );
    $exists->execute([$table]);
    if (!(int) $exists->fetchColumn()) {
        return false;
    }
    return (int) $database->query('SELECT COUNT(*) FROM `' . str_replace('`', '``', $table) . '`')->fetchColumn() > 0;
}

function redis_options(): array
{
    $cache = 'MAGENTO_DC_CACHE__FRONTEND__DEFAULT__BACKEND_OPTIONS__';
    $page = 'MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__BACKEND_OPTIONS__';
    $session = 'MAGENTO_DC_SESSION__REDIS__';
    $options = [
        'cache-backend' => 'redis',
        'cache-backend-redis-server' => setting("{$cache}SERVER"),
        'cache-backend-redis-port' => setting("{$cache}PORT"),
        'cache-backend-redis-db' => setting("{$cache}DATABASE"),
        'cache-id-prefix' => setting('MAGENTO_DC_CACHE__FRONTEND__DEFAULT__ID_PREFIX'),
        'page-cache' => 'redis',
        'page-cache-redis-server' => setting("{$page}SERVER"),
        'page-cache-redis-port' => setting("{$page}PORT"),
        'page-cache-redis-db' => setting("{$page}DATABASE"),
        'page-cache-id-prefix' => setting('MAGENTO_DC_CACHE__FRONTEND__PAGE_CACHE__ID_PREFIX'),
        'session-save' => 'redis',
        'session-save-redis-host' => setting("{$session}HOST"),
        'session-save-redis-port' => setting("{$session}PORT"),
        'session-save-redis-db' => setting("{$session}DATABASE"),
    ];
    $passwords = [
        'cache-backend-redis-password' => "{$cache}PASSWORD",
        'page-cache-redis-password' => "{$page}PASSWORD",
        'session-save-redis-password' => "{$session}PASSWORD",
    ];
    foreach ($passwords as $option => $variable) {
        $options[$option] = setting($variable, '');
    }
    return $options;
}

function search_and_queue_options(): array
{
    $search = 'CONFIG__DEFAULT__CATALOG__SEARCH__';
    $queue = 'MAGENTO_DC_QUEUE__AMQP__';
    $options = [];
    if (getenv("{$search}OPENSEARCH_SERVER_HOSTNAME")) {
        $options += [
            'search-engine' => 'opensearch',
            'opensearch-host' => setting("{$search}OPENSEARCH_SERVER_HOSTNAME"),
            'opensearch-port' => setting("{$search}OPENSEARCH_SERVER_PORT"),
            'opensearch-index-prefix' => setting("{$search}OPENSEARCH_INDEX_PREFIX"),
            'opensearch-enable-auth' => setting("{$search}OPENSEARCH_ENABLE_AUTH", ''),
            'opensearch-username' => setting("{$search}OPENSEARCH_USERNAME", ''),
            'opensearch-password' => setting("{$search}OPENSEARCH_PASSWORD", ''),
        ];
    }
    if (getenv("{$queue}HOST")) {
        $options += [
            'amqp-host' => setting("{$queue}HOST"),
            'amqp-port' => setting("{$queue}PORT"),
            'amqp-user' => setting("{$queue}USER"),
            'amqp-password' => setting("{$queue}PASSWORD"),
            'amqp-virtualhost' => setting("{$queue}VIRTUALHOST"),
            'amqp-ssl' => setting("{$queue}SSL", ''),
        ];
    }
    return $options;
}

function installer_arguments(): array
{
    $url = rtrim(setting('CONFIG__DEFAULT__WEB__UNSECURE__BASE_URL'), '/') . '/';
    $secure = str_starts_with($url, 'https:');
    $options = [
        'db-host' => database('HOST'),
        'db-name' => database('DBNAME'),
        'db-user' => database('USERNAME'),
        'db-password' => database('PASSWORD'),
        'db-prefix' => setting('MAGENTO_DC_DB__TABLE_PREFIX', ''),
        'key' => setting('MAGENTO_DC_CRYPT__KEY'),
        'backend-frontname' => setting('MAGENTO_DC_BACKEND__FRONTNAME'),
        'base-url' => $url,
        'use-rewrites' => '1',
        'use-secure' => $secure ? '1' : '0',
        'use-secure-admin' => $secure ? '1' : '0',
        'language' => setting('MAGE_LOCALE', 'en_US'),
        'timezone' => setting('MAGE_TIMEZONE', 'UTC'),
        'currency' => setting('MAGE_CURRENCY', 'USD'),
        'admin-user' => setting('MAGE_ADMIN_USER', 'admin'),
        'admin-password' => setting('MAGE_ADMIN_PASSWORD'),
        'admin-email' => setting('MAGE_ADMIN_EMAIL'),
        'admin-firstname' => setting('MAGE_ADMIN_FIRSTNAME', 'Store'),
        'admin-lastname' => setting('MAGE_ADMIN_LASTNAME', 'Administrator'),
    ];
    if ($secure) {
        $options['base-url-secure'] = $url;
    }
    $arguments = ['bin/magento', 'setup:install', '--no-interaction'];
    foreach ($options + redis_options() + search_and_queue_options() as $name => $value) {
        if ($value !== '') {
            $arguments[] = "--$name=$value";
        }
    }
    return $arguments;
}

/* With an install date Magento takes the empty database for a store's, and reads from it. */
function forget_deployment(): void
{
    foreach (array_keys(getenv()) as $name) {
        if (preg_match('/^(MAGENTO_DC_|CONFIG__)/', $name)) {
            putenv($name);
            unset($_ENV[$name], $_SERVER[$name]);
        }
    }
}

$root = $argv[1];
$connection = connect();
if ((int) $connection->query("SELECT GET_LOCK('magento-install', 600)")->fetchColumn() !== 1) {
    fwrite(STDERR, "another installation has held the lock for 10 minutes\n");
    exit(75);
}
if (is_installed($connection)) {
    echo "Magento is installed already\n";
    exit(0);
}
$_SERVER['argv'] = $argv = installer_arguments();
forget_deployment();
$_SERVER['argc'] = $argc = count($argv);
chdir($root);
/* The interpreter line of an included script would be printed. */
ob_start(static fn (string $output): string => preg_replace('/^#!.*\n/', '', $output), 1);
require $root . '/bin/magento';
