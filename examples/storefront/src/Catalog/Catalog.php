<?php

declare(strict_types=1);

namespace Storefront\Catalog;

use Storefront\Cache\Cache;
use Storefront\Database\Connection;

/** What visitors see of the catalog. Listings read the index, product pages the tables behind it. */
final readonly class Catalog
{
    public const PAGE_SIZE = 6;
    private const SEARCH_LIMIT = 24;
    private const CATEGORIES_LIFETIME = 600;

    public function __construct(private Connection $db, private Cache $cache)
    {
    }

    /** @return list<array<string, mixed>> */
    public function categories(): array
    {
        return $this->cache->remember('categories', ['categories'], self::CATEGORIES_LIFETIME, fn (): array => $this->db
            ->fetchAll('SELECT c.id, c.slug, c.name, c.description, COALESCE(i.product_count, 0) AS product_count
                FROM {category} c LEFT JOIN {category_index} i ON i.category_id = c.id ORDER BY c.position'));
    }

    /** @return array<string, mixed>|null */
    public function category(string $slug): ?array
    {
        return array_column($this->categories(), null, 'slug')[$slug] ?? null;
    }

    /** @return list<array<string, mixed>> */
    public function inCategory(int $categoryId, int $page): array
    {
        return $this->db->fetchAll(
            'SELECT * FROM {product_index} WHERE category_id = ? ORDER BY product_id LIMIT ? OFFSET ?',
            [$categoryId, self::PAGE_SIZE, ($page - 1) * self::PAGE_SIZE],
        );
    }

    /** @return list<array<string, mixed>> */
    public function bestSelling(int $limit): array
    {
        return $this->db->fetchAll(
            'SELECT * FROM {product_index} ORDER BY sold DESC, MOD(product_id * 17, 43) LIMIT ?',
            [$limit],
        );
    }

    /** @return list<array<string, mixed>> */
    public function search(string $words): array
    {
        $conditions = [];
        $params = [];
        foreach (array_slice(preg_split('/\s+/', $words, -1, PREG_SPLIT_NO_EMPTY), 0, 5) as $word) {
            $conditions[] = 'CONCAT_WS(" ", i.name, i.sku, p.description) LIKE ?';
            $params[] = '%' . addcslashes($word, '%_\\') . '%';
        }
        if ($conditions === []) {
            return [];
        }
        $where = implode(' AND ', $conditions);
        return $this->db->fetchAll(
            "SELECT i.* FROM {product_index} i JOIN {product} p ON p.id = i.product_id
                WHERE $where ORDER BY i.sold DESC, i.name LIMIT ?",
            [...$params, self::SEARCH_LIMIT],
        );
    }

    /** @return array<string, mixed>|null */
    public function product(string $slug): ?array
    {
        return $this->db->fetchRow(self::PRODUCT . ' WHERE p.slug = ?', [$slug]);
    }

    /** @return array<string, mixed>|null */
    public function randomProduct(): ?array
    {
        $highest = (int) $this->db->fetchValue('SELECT MAX(id) FROM {product}');
        return $this->db->fetchRow(
            self::PRODUCT . ' WHERE p.id >= ? ORDER BY p.id LIMIT 1',
            [random_int(1, max(1, $highest))],
        );
    }

    /** @param list<int> $ids @return array<int, array<string, mixed>> by product id */
    public function products(array $ids): array
    {
        if ($ids === []) {
            return [];
        }
        $marks = implode(',', array_fill(0, count($ids), '?'));
        return array_column($this->db->fetchAll(self::PRODUCT . " WHERE p.id IN ($marks) ORDER BY p.id", $ids), null, 'id');
    }

    /** @return list<array<string, mixed>> */
    public function related(array $product, int $limit): array
    {
        return $this->db->fetchAll(
            'SELECT * FROM {product_index} WHERE category_id = ? AND product_id <> ?
                ORDER BY MOD(product_id + ?, 7), product_id LIMIT ?',
            [$product['category_id'], $product['id'], $product['id'], $limit],
        );
    }

    private const PRODUCT = 'SELECT p.*, s.qty, c.name AS category_name, c.slug AS category_slug,
        (SELECT AVG(rating) FROM {review} r WHERE r.product_id = p.id) AS rating,
        (SELECT COUNT(*) FROM {review} r WHERE r.product_id = p.id) AS review_count
        FROM {product} p JOIN {stock} s ON s.product_id = p.id JOIN {category} c ON c.id = p.category_id';
}
