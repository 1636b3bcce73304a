<?php

declare(strict_types=1);

namespace Storefront\Setup;

use PDOException;
use Storefront\Database\Connection;
use Storefront\Database\ErrorCode;

/** The numbered migrations of this release, and how far the database is. Each may be run again after half of it. */
final readonly class Schema
{
    public function __construct(private string $folder)
    {
    }

    /** The version that this release needs. */
    public function requiredVersion(): int
    {
        return max([0, ...array_keys($this->migrations())]);
    }

    /** The version that the database has; a newer release may have brought a higher one. */
    public function installedVersion(Connection $db): int
    {
        try {
            return (int) $db->fetchValue('SELECT MAX(version) FROM {schema_version}');
        } catch (PDOException $error) {
            return ErrorCode::isNoSuchTable($error) ? 0 : throw $error;
        }
    }

    /** @return list<string> names of the migrations that were applied */
    public function upgrade(Connection $db): array
    {
        $db->define('CREATE TABLE IF NOT EXISTS {schema_version} (version INT UNSIGNED NOT NULL PRIMARY KEY,
            name VARCHAR(80) NOT NULL, applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)
            ENGINE = InnoDB DEFAULT CHARSET = utf8mb4');
        $installed = $this->installedVersion($db);
        $applied = [];
        foreach ($this->migrations() as $version => $file) {
            if ($version > $installed) {
                foreach (preg_split('/;\s*\n/', (string) file_get_contents($file), -1, PREG_SPLIT_NO_EMPTY) as $sql) {
                    $db->define($sql);
                }
                $name = basename($file, '.sql');
                $db->execute('INSERT IGNORE INTO {schema_version} (version, name) VALUES (?, ?)', [$version, $name]);
                $applied[] = $name;
            }
        }
        return $applied;
    }

    /** @return array<int, string> file by version, ascending */
    private function migrations(): array
    {
        $files = [];
        foreach (glob($this->folder . '/[0-9]*.sql') ?: [] as $file) {
            $files[(int) basename($file)] = $file;
        }
        ksort($files);
        return $files;
    }
}
