<?php
/*
 * Writes Magento 1's app/etc/local.xml from the environment, so that secrets are in no image, no
 * release and no shared file. All tasks of an environment get the same key and install date.
 */
declare(strict_types=1);

function setting(string $name, ?string $default = null): string
{
    $value = getenv($name);
    if ($value === false || $value === '') {
        if ($default === null) {
            fwrite(STDERR, "local.xml cannot be written: the environment variable $name is not set\n");
            exit(78);
        }
        return $default;
    }
    return $value;
}

function element(XMLWriter $xml, string $name, array|string $content): void
{
    $xml->startElement($name);
    if (is_array($content)) {
        foreach ($content as $child => $value) {
            element($xml, $child, $value);
        }
    } else {
        $xml->text($content);
    }
    $xml->endElement();
}

function redis(string $role): array
{
    return [
        'host' => setting("REDIS_{$role}_HOST"),
        'port' => setting("REDIS_{$role}_PORT", '6379'),
        'password' => setting("REDIS_{$role}_PASSWORD", ''),
    ];
}

function configuration(): array
{
    $cache = redis('CACHE');
    $session = redis('SESSION');
    return [
        'global' => [
            'install' => ['date' => setting('MAGE_INSTALL_DATE')],
            'crypt' => ['key' => setting('MAGE_CRYPT_KEY')],
            'disable_local_modules' => 'false',
            'resources' => [
                'db' => ['table_prefix' => setting('MAGE_TABLE_PREFIX', '')],
                'default_setup' => ['connection' => [
                    'host' => setting('MYSQL_HOST'),
                    'username' => setting('MYSQL_USER'),
                    'password' => setting('MYSQL_PASSWORD'),
                    'dbname' => setting('MYSQL_DATABASE'),
                    'initStatements' => 'SET NAMES utf8',
                    'model' => 'mysql4',
                    'type' => 'pdo_mysql',
                    'pdoType' => '',
                    'active' => '1',
                ]],
            ],
            'session_save' => 'db',
            'redis_session' => $session + [
                'timeout' => '2.5',
                'persistent' => '',
                'db' => '0',
                'compression_threshold' => '2048',
                'compression_lib' => 'gzip',
                'log_level' => '1',
                'max_concurrency' => '6',
                'break_after_frontend' => '5',
                'break_after_adminhtml' => '30',
                'first_lifetime' => '600',
                'bot_first_lifetime' => '60',
                'bot_lifetime' => '7200',
                'disable_locking' => '0',
                'min_lifetime' => '60',
                'max_lifetime' => '2592000',
            ],
            'cache' => [
                'backend' => 'Cm_Cache_Backend_Redis',
                'id_prefix' => setting('CACHE_PREFIX', 'mage_'),
                'backend_options' => [
                    'server' => $cache['host'],
                    'port' => $cache['port'],
                    'password' => $cache['password'],
                    'database' => '0',
                    'persistent' => '',
                    'force_standalone' => '0',
                    'connect_retries' => '1',
                    'read_timeout' => '10',
                    'automatic_cleaning_factor' => '0',
                    'compress_data' => '1',
                    'compress_tags' => '1',
                    'compress_threshold' => '20480',
                    'compression_lib' => 'gzip',
                ],
            ],
        ],
        'admin' => ['routers' => ['adminhtml' => ['args' => [
            'frontName' => setting('MAGE_ADMIN_FRONTNAME', 'admin'),
        ]]]],
    ];
}

function document(array $content): string
{
    $xml = new XMLWriter();
    $xml->openMemory();
    $xml->setIndent(true);
    $xml->startDocument('1.0');
    element($xml, 'config', $content);
    $xml->endDocument();
    return $xml->outputMemory();
}

function write_file(string $path, string $content): void
{
    $draft = "$path.new";
    if (@file_put_contents($draft, $content) !== strlen($content) || !@rename($draft, $path)) {
        fwrite(STDERR, "$path cannot be written: " . (error_get_last()['message'] ?? 'unknown cause') . "\n");
        exit(73);
    }
}

umask(0077);
$etc = $argv[1] . '/app/etc';
/* Magento ships the Redis session module switched off; the last module file read decides. */
write_file("$etc/modules/zz_magecloudkit.xml", document([
    'modules' => ['Cm_RedisSession' => ['active' => 'true', 'codePool' => 'community']],
]));
if (in_array('--only-modules', $argv, true)) {
    exit(0);
}
write_file("$etc/local.xml", document(configuration()));
