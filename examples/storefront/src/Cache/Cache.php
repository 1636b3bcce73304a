<?php

declare(strict_types=1);

namespace Storefront\Cache;

use Redis;
use RedisException;
use Storefront\Config;
use Storefront\Log;

/**
 * Versioned entries in the Redis cache cluster, which may lose any of them at any time.
 *
 * Every entry remembers the versions that its tags had before it was computed, and counts only while they are the same.
 * A tag is invalidated by giving it a new random version; an evicted version invalidates its entries as well.
 * When Redis can't be reached every lookup misses, and after a failure nobody in this task tries for some seconds.
 */
final class Cache
{
    /** Every entry carries this tag. */
    private const ALL = 'all';
    private const TIMEOUT = 0.5;
    private const PAUSE_AFTER_FAILURE = 3;
    private const VERSION_LIFETIME = 7 * 86_400;

    private ?Redis $redis = null;
    private readonly string $failureMarker;
    private readonly string $prefix;

    public function __construct(private readonly Config $config, private readonly Log $log)
    {
        $this->failureMarker = $config->root . '/var/cache_unreachable';
        // Two releases side by side during a deployment do not show each other's pages.
        $this->prefix = $config->cachePrefix . substr(md5($config->revision), 0, 8) . ':';
    }

    /** @param list<string> $tags */
    public function lookUp(string $key, array $tags): Lookup
    {
        $versionKeys = array_map($this->versionKey(...), [self::ALL, ...$tags]);
        return $this->attempt(function (Redis $redis) use ($key, $versionKeys): Lookup {
            $versions = $redis->mGet([$this->prefix . $key, ...$versionKeys]);
            $entry = (string) array_shift($versions);
            if (in_array(false, $versions, true)) {
                $versions = $this->makeVersions($redis, $versionKeys);
            }
            $stamp = in_array(false, $versions, true) ? '' : implode(',', $versions);
            [$storedStamp, $value] = explode("\n", $entry, 2) + [1 => ''];
            return new Lookup($key, $stamp, $stamp !== '' && $storedStamp === $stamp ? $value : null);
        }) ?? new Lookup($key, '', null);
    }

    /** Stores what was computed after $lookup missed. @param int $lifetime seconds */
    public function store(Lookup $lookup, string $value, int $lifetime): void
    {
        if ($lookup->stamp !== '') {
            $entry = $lookup->stamp . "\n" . $value;
            $this->attempt(fn (Redis $redis): mixed => $redis->setex($this->prefix . $lookup->key, $lifetime, $entry));
        }
    }

    /**
     * An object from the cache, or computed and stored.
     *
     * @param list<string> $tags
     * @param callable(): array $compute
     */
    public function remember(string $key, array $tags, int $lifetime, callable $compute): array
    {
        $lookup = $this->lookUp($key, $tags);
        if ($lookup->value !== null && is_array($found = json_decode($lookup->value, true))) {
            return $found;
        }
        $object = $compute();
        $this->store($lookup, json_encode($object, JSON_THROW_ON_ERROR), $lifetime);
        return $object;
    }

    /** @param list<string> $tags @return bool whether the cache knows of it */
    public function invalidate(array $tags): bool
    {
        return true === $this->attempt(function (Redis $redis) use ($tags): bool {
            $redis->multi(Redis::PIPELINE);
            foreach ($tags as $tag) {
                $redis->setex($this->versionKey($tag), self::VERSION_LIFETIME, $this->randomVersion());
            }
            return !in_array(false, $redis->exec(), true);
        }, insist: true);
    }

    public function flush(): bool
    {
        return $this->invalidate([self::ALL]);
    }

    /** Counts an event. @return int how often it happened within $window seconds, 0 when the cache can't tell */
    public function count(string $event, int $window): int
    {
        return (int) $this->attempt(function (Redis $redis) use ($event, $window): int {
            $key = $this->config->cachePrefix . 'count:' . $event . ':' . intdiv(time(), $window);
            $count = (int) $redis->incr($key);
            $redis->expire($key, $window);
            return $count;
        });
    }

    /** @return array<string, string>|null null when unreachable */
    public function statistics(): ?array
    {
        $info = $this->attempt(static fn (Redis $redis): array => [
            'keys' => (string) $redis->dbSize(),
            'memory' => (string) $redis->info('memory')['used_memory_human'],
            'policy' => (string) $redis->info('memory')['maxmemory_policy'],
        ], insist: true);
        return is_array($info) ? $info : null;
    }

    /** Versions outlive a release: invalidating must reach the pages of all of them. */
    private function versionKey(string $tag): string
    {
        return $this->config->cachePrefix . 'version:' . $tag;
    }

    /**
     * Gives a version to every tag that has none. Of several who do this at once, one wins and all see the same.
     *
     * @param list<string> $versionKeys
     * @return list<string|false>
     */
    private function makeVersions(Redis $redis, array $versionKeys): array
    {
        $redis->multi(Redis::PIPELINE);
        foreach ($versionKeys as $versionKey) {
            $redis->set($versionKey, $this->randomVersion(), ['nx', 'ex' => self::VERSION_LIFETIME]);
        }
        $redis->mGet($versionKeys);
        $answers = $redis->exec();
        return end($answers);
    }

    private function randomVersion(): string
    {
        return bin2hex(random_bytes(6));
    }

    private function attempt(callable $work, bool $insist = false): mixed
    {
        if ($this->redis === null && !$insist && $this->failedRecently()) {
            return null;
        }
        try {
            $this->redis ??= $this->config->redisCache->connect(self::TIMEOUT);
            return $work($this->redis);
        } catch (RedisException $error) {
            $this->redis = null;
            @touch($this->failureMarker);
            $this->log->warning('cache unreachable, going on without', $error);
            return null;
        }
    }

    private function failedRecently(): bool
    {
        clearstatcache(true, $this->failureMarker);
        $failedAt = @filemtime($this->failureMarker);
        return $failedAt !== false && time() - $failedAt < self::PAUSE_AFTER_FAILURE;
    }
}
