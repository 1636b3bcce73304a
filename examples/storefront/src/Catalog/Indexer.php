<?php

declare(strict_types=1);

namespace Storefront\Catalog;

use Storefront\Database\Connection;

/** Keeps the flat tables that listings read. */
final class Indexer
{
    private const SELECT = 'SELECT p.id, p.category_id, p.sku, p.slug, p.name, p.price, p.image, s.qty,
        COALESCE(r.rating, 0), COALESCE(r.review_count, 0), COALESCE(o.sold, 0)
        FROM {product} p
        JOIN {stock} s ON s.product_id = p.id
        LEFT JOIN (SELECT product_id, AVG(rating) AS rating, COUNT(*) AS review_count FROM {review} GROUP BY product_id) r
            ON r.product_id = p.id
        LEFT JOIN (SELECT product_id, SUM(qty) AS sold FROM {sales_order_item} GROUP BY product_id) o
            ON o.product_id = p.id';

    /**
     * Builds everything anew in one transaction: readers see the old index until the commit and the new one after it.
     *
     * @return int number of products
     */
    public function rebuild(Connection $db): int
    {
        return $db->transaction(static function (Connection $db): int {
            $db->execute('DELETE FROM {product_index}');
            $count = $db->execute('INSERT INTO {product_index} ' . self::SELECT);
            $db->execute('DELETE FROM {category_index}');
            $db->execute('INSERT INTO {category_index}
                SELECT category_id, COUNT(*), SUM(qty > 0), MIN(price), MAX(price) FROM {product_index} GROUP BY category_id');
            return $count;
        });
    }

    /** Brings the row of one product up to date, within the transaction that changed it. */
    public function refresh(Connection $db, int $productId): void
    {
        $db->execute('REPLACE INTO {product_index} ' . self::SELECT . ' WHERE p.id = ?', [$productId]);
    }
}
