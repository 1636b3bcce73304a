<?php

declare(strict_types=1);

namespace Storefront\Health;

use PDOException;
use RedisException;
use RuntimeException;
use Storefront\Config;
use Storefront\Database\Connection;
use Storefront\Database\ErrorCode;
use Storefront\Log;
use Storefront\Media\MediaStorage;
use Storefront\RedisEndpoint;
use Storefront\Setup\Schema;
use Throwable;

/**
 * Whether this task can serve customers. Every check ends by its own time-out, all of them within two seconds.
 * Reasons name the fault, never a host, a user or a secret; the full error goes to the log.
 */
final readonly class HealthCheck
{
    /** Seconds. The database driver counts in whole ones; 1 + 2 × 0.3 leaves room below two. */
    private const DATABASE_TIMEOUT = 1;
    private const REDIS_TIMEOUT = 0.3;

    public function __construct(
        private Config $config,
        private Schema $schema,
        private MediaStorage $media,
        private Log $log,
    ) {
    }

    /** @return array{status: string, checks: array<string, array<string, mixed>>} */
    public function run(): array
    {
        $checks = [
            'configuration' => $this->time(fn () => $this->config->sign('health', 'check')),
            'database' => $this->time($this->checkDatabase(...)),
            'redis_cache' => $this->time(fn () => $this->checkRedis($this->config->redisCache)),
            'redis_session' => $this->time(fn () => $this->checkRedis($this->config->redisSession)),
            'media' => $this->time($this->checkMedia(...)),
        ];
        $isHealthy = !in_array('error', array_column($checks, 'status'), true);
        return ['status' => $isHealthy ? 'ok' : 'error', 'checks' => $checks];
    }

    private function checkDatabase(): void
    {
        $host = $this->config->databaseHost;
        $db = new Connection($this->config, $this->log, $host, self::DATABASE_TIMEOUT, self::DATABASE_TIMEOUT);
        $installed = $db->withoutReconnect(fn (): int => $this->schema->installedVersion($db));
        $required = $this->schema->requiredVersion();
        if ($installed < $required) {
            throw new RuntimeException("schema version is $installed, $required is needed");
        }
    }

    private function checkRedis(RedisEndpoint $endpoint): void
    {
        if ($endpoint->connect(self::REDIS_TIMEOUT)->ping() === false) {
            throw new RedisException('no answer');
        }
    }

    private function checkMedia(): void
    {
        $this->media->probe(preg_replace('/[^a-z0-9]+/', '-', strtolower((string) gethostname())) . '-' . getmypid());
    }

    /** @return array<string, mixed> */
    private function time(callable $check): array
    {
        $start = hrtime(true);
        try {
            $check();
            $result = ['status' => 'ok'];
        } catch (Throwable $error) {
            $this->log->error('health check failed', $error->getPrevious() ?? $error);
            $result = ['status' => 'error', 'reason' => $this->reason($error)];
        }
        return $result + ['ms' => round((hrtime(true) - $start) / 1e6, 1)];
    }

    private function reason(Throwable $error): string
    {
        $cause = $error->getPrevious() ?? $error;
        return match (true) {
            $cause instanceof PDOException => 'database error ' . ErrorCode::of($cause),
            $cause instanceof RedisException => 'no usable answer from redis',
            default => $error->getMessage(),
        };
    }
}
