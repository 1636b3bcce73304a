<?php

declare(strict_types=1);

namespace Storefront;

use Storefront\Cache\Cache;
use Storefront\Cache\PageCache;
use Storefront\Catalog\Catalog;
use Storefront\Catalog\CatalogAdmin;
use Storefront\Catalog\Indexer;
use Storefront\Checkout\Orders;
use Storefront\Cron\Scheduler;
use Storefront\Customer\Accounts;
use Storefront\Database\Connection;
use Storefront\Health\HealthCheck;
use Storefront\Media\MediaStorage;
use Storefront\Media\Thumbnails;
use Storefront\Setup\Installer;
use Storefront\Setup\Schema;

/** How the parts of the shop are put together. Each is made when it is first asked for. */
final class App
{
    /** Seconds. */
    private const CONNECT_TIMEOUT = 2;

    public readonly Config $config;
    private ?Connection $db = null;
    private ?Connection $reader = null;
    private ?Cache $cache = null;

    /** @param int $readTimeout seconds that one database statement may take */
    public function __construct(public readonly Log $log, private readonly int $readTimeout = 15)
    {
        $this->config = Config::fromEnvironment();
    }

    public function db(): Connection
    {
        return $this->db ??= $this->connectionTo($this->config->databaseHost);
    }

    /** For pages that may be a moment behind and are not kept: a replica where there is one, else the writer. */
    private function reader(): Connection
    {
        $host = $this->config->databaseReaderHost;
        return $this->reader ??= $host === '' ? $this->db() : $this->connectionTo($host);
    }

    private function connectionTo(string $host): Connection
    {
        return new Connection($this->config, $this->log, $host, self::CONNECT_TIMEOUT, $this->readTimeout);
    }

    public function cache(): Cache
    {
        return $this->cache ??= new Cache($this->config, $this->log);
    }

    public function pageCache(): PageCache
    {
        return new PageCache($this->cache());
    }

    /** Reads the writer: what goes into the page cache must not come from a replica that lags behind. */
    public function catalog(): Catalog
    {
        return new Catalog($this->db(), $this->cache());
    }

    /**
     * Runs $work with a catalog that reads a replica, or the writer when the replica is gone.
     *
     * @template T
     * @param callable(Catalog): T $work
     * @return T
     */
    public function withReplicaCatalog(callable $work): mixed
    {
        try {
            return $work(new Catalog($this->reader(), $this->cache()));
        } catch (Unavailable $error) {
            if ($this->reader() === $this->db()) {
                throw $error;
            }
            $this->log->warning('replica not available, reading the writer', $error->getPrevious());
            return $work($this->catalog());
        }
    }

    public function catalogAdmin(): CatalogAdmin
    {
        return new CatalogAdmin($this->db(), $this->cache(), $this->indexer());
    }

    public function orders(): Orders
    {
        return new Orders($this->db(), $this->catalogAdmin());
    }

    public function accounts(): Accounts
    {
        return new Accounts($this->db(), $this->cache());
    }

    public function indexer(): Indexer
    {
        return new Indexer();
    }

    public function media(): MediaStorage
    {
        return new MediaStorage($this->config->mediaPath);
    }

    public function thumbnails(): Thumbnails
    {
        return new Thumbnails($this->media(), $this->log);
    }

    public function schema(): Schema
    {
        return new Schema($this->config->root . '/migrations');
    }

    public function scheduler(): Scheduler
    {
        return new Scheduler($this->db(), $this->indexer(), $this->media());
    }

    public function installer(): Installer
    {
        return new Installer(
            $this->config,
            $this->db(),
            $this->schema(),
            $this->indexer(),
            $this->scheduler(),
            $this->accounts(),
            $this->media(),
        );
    }

    public function healthCheck(): HealthCheck
    {
        return new HealthCheck($this->config, $this->schema(), $this->media(), $this->log);
    }
}
