<?php

declare(strict_types=1);

namespace Storefront\Http;

use Redis;
use RedisException;
use Storefront\Config;
use Storefront\Unavailable;

/**
 * A visitor's session in the Redis session cluster.
 *
 * Changes are made by update(): read, change, and write only if nobody wrote in between, else once more. So concurrent
 * requests lose nothing, and a worker that dies leaves no lock behind. A write is confirmed by Redis before update()
 * returns; if it is not, Unavailable is thrown and the visitor gets a 503, never a 200.
 *
 * The id is signed, so only ids that we gave out count. A visitor who stored nothing costs Redis nothing.
 */
final class Session
{
    public const COOKIE = 'storefront_session';

    private const LIFETIME = 7 * 86_400;
    private const TIMEOUT = 1.0;
    private const UPDATE_DEADLINE = 5.0;
    private const MAX_BYTES = 65_536;

    private const COMPARE_AND_SET = <<<'LUA'
        if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
        return 1
        LUA;

    private ?Redis $redis = null;
    private bool $isUnreachable = false;
    private ?string $stored = null;
    private string $id;
    private bool $cookieIsDue = false;

    public function __construct(private readonly Config $config, Request $request)
    {
        [$id, $signature] = explode('.', $request->cookie(self::COOKIE), 2) + [1 => ''];
        if ($id !== '' && hash_equals($config->sign('session', $id), $signature)) {
            $this->id = $id;
        } else {
            $this->renew();
        }
    }

    public function get(string $name, mixed $default = null): mixed
    {
        return $this->data()[$name] ?? $default;
    }

    /**
     * Changes the session. $change may run more than once.
     *
     * @param callable(array<string, mixed>): array<string, mixed> $change
     * @throws Unavailable when the change could not be stored for certain
     */
    public function update(callable $change): void
    {
        $deadline = microtime(true) + self::UPDATE_DEADLINE;
        do {
            $before = $this->load();
            $after = json_encode($change($this->decode($before)), JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
            if ($this->compareAndSet($before, $after)) {
                $this->stored = $after;
                return;
            }
            usleep(random_int(200, 4_000));
        } while (microtime(true) < $deadline);
        throw new Unavailable('The session is too busy.');
    }

    /** Moves the data to a new id, so that an id known to somebody else is worth nothing after a login. */
    public function regenerate(callable $change): void
    {
        $before = $this->decode($this->load());
        $oldKey = $this->key();
        $this->renew();
        $this->update(static fn (): array => $change($before));
        $this->ask(static fn (Redis $redis): mixed => $redis->del($oldKey));
    }

    /** The value that a form must send back. */
    public function formKey(): string
    {
        return $this->config->sign('form', $this->id);
    }

    public function addCookie(Response $response, bool $secure): void
    {
        if ($this->cookieIsDue) {
            $response->withCookie(self::COOKIE, $this->id . '.' . $this->config->sign('session', $this->id), $secure);
        }
    }

    private function renew(): void
    {
        $this->id = bin2hex(random_bytes(16));
        $this->stored = '';
        $this->cookieIsDue = true;
    }

    private function data(): array
    {
        return $this->decode($this->stored ?? $this->load());
    }

    private function load(): string
    {
        $value = $this->ask(fn (Redis $redis): mixed => $redis->get($this->key()));
        return $this->stored = is_string($value) ? $value : '';
    }

    private function compareAndSet(string $before, string $after): bool
    {
        if (strlen($after) > self::MAX_BYTES) {
            throw new HttpError(413, 'This session holds too much already.');
        }
        $arguments = [$this->key(), $before, $after, self::LIFETIME];
        $answer = $this->ask(static fn (Redis $redis): mixed => $redis->eval(self::COMPARE_AND_SET, $arguments, 1));
        if ($answer !== 0 && $answer !== 1) {
            throw new Unavailable('The session could not be stored: ' . $this->redis?->getLastError());
        }
        return $answer === 1;
    }

    private function decode(string $stored): array
    {
        return $stored === '' ? [] : (array) json_decode($stored, true);
    }

    private function key(): string
    {
        return 'session:' . $this->config->cachePrefix . hash('sha256', $this->id);
    }

    private function ask(callable $work): mixed
    {
        if ($this->isUnreachable) {
            throw new Unavailable('Sessions are still not available.');
        }
        try {
            $this->redis ??= $this->config->redisSession->connect(self::TIMEOUT);
            return $work($this->redis);
        } catch (RedisException $error) {
            // The error page that follows shall not wait for the same time-out again.
            $this->isUnreachable = true;
            throw new Unavailable('Sessions are not available.', 0, $error);
        }
    }
}
