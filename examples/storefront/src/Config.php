<?php

declare(strict_types=1);

namespace Storefront;

use RuntimeException;

/** Everything that differs between environments, read once from environment variables. */
final readonly class Config
{
    private function __construct(
        public string $root,
        public string $databaseHost,
        public string $databaseReaderHost,
        public int $databasePort,
        public string $databaseName,
        public string $databaseUser,
        #[\SensitiveParameter] public string $databasePassword,
        public string $tablePrefix,
        public RedisEndpoint $redisCache,
        public RedisEndpoint $redisSession,
        public string $cachePrefix,
        public bool $developerMode,
        public string $baseUrl,
        #[\SensitiveParameter] private string $cryptKey,
        public string $adminUser,
        #[\SensitiveParameter] public string $adminPassword,
        public string $mediaPath,
        public string $taskId,
        public string $revision,
    ) {
    }

    /** @throws RuntimeException when the table prefix could not be part of a table name */
    public static function fromEnvironment(): self
    {
        $root = dirname(__DIR__);
        $prefix = self::read('MAGE_TABLE_PREFIX');
        if (preg_match('/^\w{0,20}$/', $prefix) !== 1) {
            throw new RuntimeException('MAGE_TABLE_PREFIX may only hold up to 20 letters, digits and underscores.');
        }
        return new self(
            root: $root,
            databaseHost: self::read('MYSQL_HOST', '127.0.0.1'),
            databaseReaderHost: self::read('MYSQL_READER_HOST'),
            databasePort: (int) self::read('MYSQL_PORT', '3306'),
            databaseName: self::read('MYSQL_DATABASE', 'storefront'),
            databaseUser: self::read('MYSQL_USER', 'storefront'),
            databasePassword: self::read('MYSQL_PASSWORD'),
            tablePrefix: $prefix,
            redisCache: self::redis('REDIS_CACHE'),
            redisSession: self::redis('REDIS_SESSION'),
            cachePrefix: self::read('CACHE_PREFIX', 'storefront_'),
            developerMode: self::read('MAGE_MODE', 'production') === 'developer',
            baseUrl: rtrim(self::read('BASE_URL'), '/'),
            cryptKey: self::read('CRYPT_KEY'),
            adminUser: self::read('ADMIN_USER', 'admin'),
            adminPassword: self::read('ADMIN_PASSWORD'),
            mediaPath: rtrim(self::read('MEDIA_PATH', $root . '/pub/media'), '/'),
            taskId: self::read('TASK_ID'),
            revision: self::readRevision($root),
        );
    }

    /** Keyed digest of $message for one $purpose, so that a value signed for one thing proves nothing for another. */
    public function sign(string $purpose, string $message): string
    {
        if ($this->cryptKey === '') {
            throw new RuntimeException('CRYPT_KEY is not set.');
        }
        return hash_hmac('sha256', $purpose . "\0" . $message, $this->cryptKey);
    }

    private static function redis(string $name): RedisEndpoint
    {
        return new RedisEndpoint(
            self::read($name . '_HOST', '127.0.0.1'),
            (int) self::read($name . '_PORT', '6379'),
            self::read($name . '_PASSWORD'),
        );
    }

    private static function read(string $name, string $default = ''): string
    {
        $value = getenv($name);
        return $value === false || $value === '' ? $default : $value;
    }

    private static function readRevision(string $root): string
    {
        foreach (["$root/REVISION.txt", "$root/pub/REVISION.txt"] as $file) {
            if (is_file($file)) {
                return trim((string) file_get_contents($file, length: 128));
            }
        }
        return '';
    }
}
