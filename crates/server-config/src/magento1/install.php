<?php
/*
 * Installs Magento 1 once. The installer's arguments are set inside this process, so that no
 * password is in an argument list that the machine's other processes can read.
 */
declare(strict_types=1);

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

function connect(): PDO
{
    [$host, $port] = array_pad(explode(':', setting('MYSQL_HOST'), 2), 2, '3306');
    return new PDO(
        "mysql:host=$host;port=$port;dbname=" . setting('MYSQL_DATABASE'),
        setting('MYSQL_USER'),
        setting('MYSQL_PASSWORD'),
        [PDO::ATTR_TIMEOUT => 5, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
}

/* The installer makes the administrator last: with one, it had finished. */
function is_installed(PDO $database): bool
{
    $table = setting('MAGE_TABLE_PREFIX', '') . 'admin_user';
    $exists = $database->prepare(
        'SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?'
    );
    $exists->execute([$table]);
    if (!(int) $exists->fetchColumn()) {
        return false;
    }
    return (int) $database->query('SELECT COUNT(*) FROM `' . str_replace('`', '``', $table) . '`')->fetchColumn() > 0;
}

function installer_arguments(): array
{
    $url = rtrim(setting('MAGE_BASE_URL'), '/') . '/';
    $secure = str_starts_with($url, 'https:') ? 'yes' : 'no';
    $options = [
        'license_agreement_accepted' => 'yes',
        'locale' => setting('MAGE_LOCALE', 'en_US'),
        'timezone' => setting('MAGE_TIMEZONE', 'UTC'),
        'default_currency' => setting('MAGE_CURRENCY', 'USD'),
        'db_host' => setting('MYSQL_HOST'),
        'db_name' => setting('MYSQL_DATABASE'),
        'db_user' => setting('MYSQL_USER'),
        'db_pass' => setting('MYSQL_PASSWORD'),
        'db_prefix' => setting('MAGE_TABLE_PREFIX', ''),
        'session_save' => 'db',
        'admin_frontname' => setting('MAGE_ADMIN_FRONTNAME', 'admin'),
        'url' => $url,
        'skip_url_validation' => 'yes',
        'use_rewrites' => 'yes',
        'use_secure' => $secure,
        'secure_base_url' => $url,
        'use_secure_admin' => $secure,
        'admin_lastname' => setting('MAGE_ADMIN_LASTNAME', 'Administrator'),
        'admin_firstname' => setting('MAGE_ADMIN_FIRSTNAME', 'Store'),
        'admin_email' => setting('MAGE_ADMIN_EMAIL'),
        'admin_username' => setting('MAGE_ADMIN_USER', 'admin'),
        'admin_password' => setting('MAGE_ADMIN_PASSWORD'),
        'encryption_key' => setting('MAGE_CRYPT_KEY'),
    ];
    $arguments = ['install.php'];
    foreach ($options as $name => $value) {
        array_push($arguments, "--$name", $value);
    }
    return $arguments;
}

$root = $argv[1];
$database = connect();
if ((int) $database->query("SELECT GET_LOCK('magento-install', 600)")->fetchColumn() !== 1) {
    fwrite(STDERR, "another installation has held the lock for 10 minutes\n");
    exit(75);
}
if (is_installed($database)) {
    echo "Magento is installed already\n";
    exit(0);
}
$_SERVER['argv'] = $argv = installer_arguments();
$_SERVER['argc'] = $argc = count($argv);
chdir($root);
require $root . '/install.php';
