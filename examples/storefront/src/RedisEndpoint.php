<?php

declare(strict_types=1);

namespace Storefront;

use Redis;
use RedisException;

final readonly class RedisEndpoint
{
    public function __construct(
        public string $host,
        public int $port,
        #[\SensitiveParameter] private string $password,
    ) {
    }

    /**
     * A fresh connection. Not a persistent one: after a failover that would still lead to the old primary.
     *
     * @param float $timeout seconds, for the connection and then for each reply
     * @throws RedisException
     */
    public function connect(float $timeout): Redis
    {
        $redis = new Redis();
        $redis->connect($this->host, $this->port, $timeout, null, 0, $timeout);
        if ($this->password !== '' && !$redis->auth($this->password)) {
            throw new RedisException('authentication refused');
        }
        return $redis;
    }
}
