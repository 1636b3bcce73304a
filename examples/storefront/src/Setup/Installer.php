<?php

declare(strict_types=1);

namespace Storefront\Setup;

use RuntimeException;
use Storefront\Catalog\Indexer;
use Storefront\Config;
use Storefront\Cron\Scheduler;
use Storefront\Customer\Accounts;
use Storefront\Database\Connection;
use Storefront\Media\MediaStorage;
use Storefront\Unavailable;

/** Makes a working shop of an empty database, or of one that is half or wholly made. Any number may run at once. */
final readonly class Installer
{
    private const LOCK_TIMEOUT = 60;

    public function __construct(
        private Config $config,
        private Connection $db,
        private Schema $schema,
        private Indexer $indexer,
        private Scheduler $scheduler,
        private Accounts $accounts,
        private MediaStorage $media,
    ) {
    }

    /** @param int $timeout seconds @throws Unavailable when the database does not answer by then */
    public function waitForDatabase(int $timeout): void
    {
        $deadline = microtime(true) + $timeout;
        while (true) {
            try {
                $this->db->fetchValue('SELECT 1');
                return;
            } catch (Unavailable $error) {
                if (microtime(true) >= $deadline) {
                    throw new Unavailable("The database did not answer within $timeout seconds.", 0, $error);
                }
                usleep(50_000);
            }
        }
    }

    /** Needs no database, so it may run while that one is still starting. @return int number of new pictures */
    public function placeImages(): int
    {
        $count = 0;
        foreach ($this->products() as $id => $product) {
            if (!$this->media->has($product['image'])) {
                $picture = ProductArt::draw($product['category'], $id);
                $this->media->store($product['image'], $picture, isReproducible: true);
                $count++;
            }
        }
        return $count;
    }

    /** @return list<string> names of the migrations that were applied */
    public function install(): array
    {
        return $this->db->withLock('setup', self::LOCK_TIMEOUT, function (): array {
            $applied = $this->schema->upgrade($this->db);
            $this->scheduler->register($this->db);
            $this->createAdmin();
            if ($this->db->fetchValue('SELECT 1 FROM {product} LIMIT 1') === null) {
                $this->db->transaction(function (Connection $db): void {
                    $this->insertCatalog($db);
                    $this->indexer->rebuild($db);
                });
            }
            return $applied;
        });
    }

    /** @return list<string> names of the migrations that were applied */
    public function upgrade(): array
    {
        return $this->db->withLock('setup', self::LOCK_TIMEOUT, function (): array {
            $applied = $this->schema->upgrade($this->db);
            $this->scheduler->register($this->db);
            if ($applied !== []) {
                $this->indexer->rebuild($this->db);
            }
            return $applied;
        });
    }

    private function createAdmin(): void
    {
        if ($this->accounts->adminExists($this->config->adminUser)) {
            return;
        }
        if (strlen($this->config->adminPassword) < Accounts::MIN_PASSWORD) {
            throw new RuntimeException('ADMIN_PASSWORD must have at least ' . Accounts::MIN_PASSWORD . ' characters.');
        }
        $this->accounts->setAdmin($this->config->adminUser, $this->config->adminPassword);
    }

    private function insertCatalog(Connection $db): void
    {
        $position = 0;
        $categories = [];
        foreach (require __DIR__ . '/catalog.php' as $slug => [$name, $description]) {
            $categories[] = [++$position, $slug, $name, $description, $position];
        }
        $this->insertRows($db, 'category (id, slug, name, description, position)', $categories);
        $products = [];
        $stock = [];
        foreach ($this->products() as $id => $product) {
            $products[] = [$id, ...array_values(array_diff_key($product, ['category' => 0]))];
            $stock[] = [$id, $id % 13 === 0 ? 3 : 20 + $id * 37 % 180];
        }
        $this->insertRows($db, 'product (id, category_id, sku, slug, name, description, price, image)', $products);
        $this->insertRows($db, 'stock (product_id, qty)', $stock);
    }

    /** @param list<list<int|string>> $rows */
    private function insertRows(Connection $db, string $target, array $rows): void
    {
        $marks = '(' . implode(',', array_fill(0, count($rows[0]), '?')) . ')';
        [$table, $columns] = explode(' ', $target, 2);
        $sql = "INSERT INTO {{$table}} $columns VALUES " . implode(',', array_fill(0, count($rows), $marks));
        $db->execute($sql, array_merge(...$rows));
    }

    /** @return array<int, array<string, int|string>> by product id */
    private function products(): array
    {
        $products = [];
        $categoryId = 0;
        $id = 0;
        foreach (require __DIR__ . '/catalog.php' as $category => [2 => $goods]) {
            $categoryId++;
            foreach ($goods as [$name, $price, $description]) {
                $slug = trim((string) preg_replace('/[^a-z0-9]+/', '-', strtolower($name)), '-');
                $products[++$id] = [
                    'category' => $category,
                    'category_id' => $categoryId,
                    'sku' => sprintf('%s-%03d', strtoupper(substr($category, 0, 3)), $id),
                    'slug' => $slug,
                    'name' => $name,
                    'description' => $description,
                    'price' => $price,
                    'image' => "catalog/$slug.png",
                ];
            }
        }
        return $products;
    }
}
