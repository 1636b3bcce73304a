<?php

declare(strict_types=1);

namespace Storefront\Catalog;

use Storefront\Cache\Cache;
use Storefront\Database\Connection;

/** Changes to products: the tables, then the index, in one transaction; then the pages that show them. */
final readonly class CatalogAdmin
{
    public function __construct(private Connection $db, private Cache $cache, private Indexer $indexer)
    {
    }

    /** @return list<array<string, mixed>> */
    public function all(): array
    {
        return $this->db->fetchAll('SELECT p.id, p.sku, p.slug, p.name, p.price, p.image, s.qty
            FROM {product} p JOIN {stock} s ON s.product_id = p.id ORDER BY p.id');
    }

    /**
     * Sets the price (cents) and moves the stock by a difference, so that orders placed meanwhile are not undone.
     *
     * @return bool false when the stock would fall below zero
     */
    public function change(int $id, int $price, int $stockDifference): bool
    {
        $isDone = $this->db->transaction(function (Connection $db) use ($id, $price, $stockDifference): bool {
            $qty = $db->fetchValue('SELECT qty FROM {stock} WHERE product_id = ? FOR UPDATE', [$id]);
            if ($qty === null || $qty + $stockDifference < 0) {
                return false;
            }
            $db->execute('UPDATE {stock} SET qty = ? WHERE product_id = ?', [$qty + $stockDifference, $id]);
            $db->execute('UPDATE {product} SET price = ? WHERE id = ?', [$price, $id]);
            $this->indexer->refresh($db, $id);
            return true;
        });
        $this->invalidatePagesOf([$id]);
        return $isDone;
    }

    public function changeImage(int $id, string $image): void
    {
        $this->db->transaction(function (Connection $db) use ($id, $image): void {
            $db->execute('UPDATE {product} SET image = ? WHERE id = ?', [$image, $id]);
            $this->indexer->refresh($db, $id);
        });
        $this->invalidatePagesOf([$id]);
    }

    /** @param array{author: string, rating: int, body: string, image: string|null} $review */
    public function addReview(int $productId, array $review): void
    {
        $this->db->transaction(function (Connection $db) use ($productId, $review): void {
            $db->insert(
                'INSERT INTO {review} (product_id, author, rating, body, image) VALUES (?, ?, ?, ?, ?)',
                [$productId, $review['author'], $review['rating'], $review['body'], $review['image']],
            );
            $this->indexer->refresh($db, $productId);
        });
        $this->invalidatePagesOf([$productId]);
    }

    /** @return list<array<string, mixed>> */
    public function reviews(int $productId): array
    {
        return $this->db->fetchAll(
            'SELECT author, rating, body, image, created_at FROM {review} WHERE product_id = ? ORDER BY id DESC LIMIT 10',
            [$productId],
        );
    }

    /** @param list<int> $ids */
    public function invalidatePagesOf(array $ids): void
    {
        $tags = ['home'];
        foreach ($ids as $id) {
            $row = $this->db->fetchRow('SELECT p.slug, c.slug AS category FROM {product} p
                JOIN {category} c ON c.id = p.category_id WHERE p.id = ?', [$id]);
            if ($row !== null) {
                array_push($tags, "product:{$row['slug']}", "category:{$row['category']}");
            }
        }
        $this->cache->invalidate(array_values(array_unique($tags)));
    }
}
