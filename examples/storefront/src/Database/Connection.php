<?php

declare(strict_types=1);

namespace Storefront\Database;

use PDO;
use PDOException;
use PDOStatement;
use Storefront\Config;
use Storefront\Log;
use Storefront\Unavailable;
use Throwable;

/**
 * One database endpoint, connected on first use and safe across a failover.
 *
 * Reads are repeated once on a fresh connection. Writes always run in a transaction: whatever breaks before COMMIT was
 * sent has certainly not happened and is repeated once; a COMMIT without an answer is never repeated (OutcomeUnknown).
 *
 * Tables are written `{product}` and get the table prefix.
 */
final class Connection
{
    private const CONTENTION_ATTEMPTS = 5;

    private ?PDO $pdo = null;
    private bool $inTransaction = false;
    private bool $mayReconnect = true;

    /** Both time-outs in whole seconds, the second for each statement. */
    public function __construct(
        private readonly Config $config,
        private readonly Log $log,
        private readonly string $host,
        private readonly int $connectTimeout,
        private readonly int $readTimeout,
    ) {
    }

    /** @return list<array<string, mixed>> */
    public function fetchAll(string $sql, array $params = []): array
    {
        return $this->read($sql, $params)->fetchAll();
    }

    /** @return array<string, mixed>|null */
    public function fetchRow(string $sql, array $params = []): ?array
    {
        return $this->read($sql, $params)->fetch() ?: null;
    }

    public function fetchValue(string $sql, array $params = []): mixed
    {
        $value = $this->read($sql, $params)->fetchColumn();
        return $value === false ? null : $value;
    }

    /** @return list<mixed> */
    public function fetchColumn(string $sql, array $params = []): array
    {
        return $this->read($sql, $params)->fetchAll(PDO::FETCH_COLUMN);
    }

    /** Runs a write, in a transaction of its own when none is open. @return int number of changed rows */
    public function execute(string $sql, array $params = []): int
    {
        return $this->transaction(fn (): int => $this->run($sql, $params)->rowCount());
    }

    /** Like execute(), for one row. @return int the id it was given */
    public function insert(string $sql, array $params = []): int
    {
        return $this->transaction(function () use ($sql, $params): int {
            $this->run($sql, $params);
            return (int) $this->connect()->lastInsertId();
        });
    }

    /** Runs a statement that commits by itself. Never repeated. */
    public function define(string $sql): void
    {
        $this->run($sql, []);
    }

    /**
     * Runs $work and commits. $work may run more than once, so it must touch nothing but the database.
     * Within an open transaction it simply joins.
     *
     * @template T
     * @param callable(self): T $work
     * @return T
     * @throws OutcomeUnknown when the connection broke during COMMIT
     */
    public function transaction(callable $work): mixed
    {
        if ($this->inTransaction) {
            return $work($this);
        }
        for ($attempt = 1;; $attempt++) {
            try {
                return $this->attemptTransaction($work);
            } catch (PDOException $error) {
                if (!$this->isWorthRepeating($error, $attempt)) {
                    throw $this->translate($error);
                }
            }
        }
    }

    /**
     * Runs $work while holding the named lock of the database server. The lock belongs to the connection, so a lost
     * connection ends $work instead of being replaced.
     *
     * @param int $timeout seconds to wait for the lock
     * @throws Unavailable when another holder did not let go in time
     */
    public function withLock(string $name, int $timeout, callable $work): mixed
    {
        $lock = substr(hash('sha256', "{$this->config->databaseName}/{$this->config->tablePrefix}/$name"), 0, 60);
        if ((int) $this->fetchValue('SELECT GET_LOCK(?, ?)', [$lock, $timeout]) !== 1) {
            throw new Unavailable("The lock \"$name\" was not free within $timeout seconds.");
        }
        try {
            return $this->withoutReconnect($work);
        } finally {
            $this->releaseQuietly($lock);
        }
    }

    /** Runs $work so that a lost connection ends it. */
    public function withoutReconnect(callable $work): mixed
    {
        $this->mayReconnect = false;
        try {
            return $work();
        } finally {
            $this->mayReconnect = true;
        }
    }

    private function releaseQuietly(string $lock): void
    {
        try {
            $this->pdo?->prepare('SELECT RELEASE_LOCK(?)')->execute([$lock]);
        } catch (PDOException $error) {
            $this->log->warning('lock not released; it ends with the connection', $error);
        }
    }

    private function attemptTransaction(callable $work): mixed
    {
        $pdo = $this->connect();
        $pdo->exec('START TRANSACTION');
        $this->inTransaction = true;
        try {
            $result = $work($this);
        } catch (Throwable $error) {
            $this->rollBackQuietly($pdo);
            throw $error;
        } finally {
            $this->inTransaction = false;
        }
        $this->commit($pdo);
        return $result;
    }

    private function commit(PDO $pdo): void
    {
        try {
            $pdo->exec('COMMIT');
        } catch (PDOException $error) {
            $this->pdo = null;
            if (ErrorCode::isReadOnly($error) || ErrorCode::isContention($error)) {
                throw $error;
            }
            throw new OutcomeUnknown('The connection broke during COMMIT.', 0, $error);
        }
    }

    private function rollBackQuietly(PDO $pdo): void
    {
        try {
            $pdo->exec('ROLLBACK');
        } catch (PDOException) {
            $this->pdo = null;
        }
    }

    private function isWorthRepeating(PDOException $error, int $attempt): bool
    {
        if (ErrorCode::isContention($error)) {
            usleep(random_int(1_000, 10_000) * $attempt);
            return $attempt < self::CONTENTION_ATTEMPTS;
        }
        if (!ErrorCode::isConnectionLost($error) && !ErrorCode::isReadOnly($error)) {
            return false;
        }
        $this->pdo = null;
        return $this->mayReconnect && $attempt === 1;
    }

    private function read(string $sql, array $params): PDOStatement
    {
        try {
            return $this->run($sql, $params);
        } catch (PDOException $error) {
            if ($this->inTransaction) {
                throw $error;
            }
            if (!ErrorCode::isConnectionLost($error)) {
                throw $this->translate($error);
            }
            $this->pdo = null;
            if (!$this->mayReconnect) {
                throw $this->translate($error);
            }
        }
        try {
            return $this->run($sql, $params);
        } catch (PDOException $error) {
            throw $this->translate($error);
        }
    }

    private function translate(PDOException $error): Throwable
    {
        $isTransient = ErrorCode::isConnectionLost($error) || ErrorCode::isReadOnly($error)
            || ErrorCode::isContention($error) || ErrorCode::isNoCapacity($error);
        return $isTransient ? new Unavailable('The database is not available.', 0, $error) : $error;
    }

    private function run(string $sql, array $params): PDOStatement
    {
        $sql = preg_replace('/\{(\w+)\}/', '`' . $this->config->tablePrefix . '$1`', $sql);
        $statement = $this->connect()->prepare($sql);
        foreach (array_values($params) as $index => $value) {
            $statement->bindValue($index + 1, $value, is_int($value) ? PDO::PARAM_INT : PDO::PARAM_STR);
        }
        $statement->execute();
        return $statement;
    }

    private function connect(): PDO
    {
        if ($this->pdo !== null) {
            return $this->pdo;
        }
        // ATTR_TIMEOUT bounds only the connection; a server that accepts and then stays silent is bounded by this.
        ini_set('mysqlnd.net_read_timeout', (string) $this->readTimeout);
        try {
            return $this->pdo = $this->open();
        } catch (PDOException $error) {
            // Not being let in is not worth a second attempt: only a connection that was lost is.
            throw $this->translate($error);
        }
    }

    private function open(): PDO
    {
        $c = $this->config;
        return new PDO(
            "mysql:host={$this->host};port={$c->databasePort};dbname={$c->databaseName};charset=utf8mb4",
            $c->databaseUser,
            $c->databasePassword,
            [
                PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
                PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
                PDO::ATTR_TIMEOUT => $this->connectTimeout,
                // Parameters are bound by the driver: one round trip a statement instead of three.
                PDO::ATTR_EMULATE_PREPARES => true,
                PDO::MYSQL_ATTR_MULTI_STATEMENTS => false,
            ],
        );
    }
}
