<?php

declare(strict_types=1);

namespace Storefront\Checkout;

use PDOException;
use Storefront\Catalog\CatalogAdmin;
use Storefront\Database\Connection;
use Storefront\Database\ErrorCode;

final readonly class Orders
{
    /** From this quantity on down, pages show how many are left. */
    public const LOW_STOCK = 5;

    public function __construct(private Connection $db, private CatalogAdmin $catalog)
    {
    }

    /**
     * Places the order of a quote and takes its items out of stock, all or nothing. Doing it again for the same quote
     * changes nothing and returns the same order, so that after an unknown outcome it is safe to try again.
     *
     * @param array{email: string, name: string, address: string} $contact
     * @param array<int, int> $quantities by product id
     * @return int the order's id
     * @throws OutOfStock
     */
    public function place(string $quoteId, ?int $customerId, array $contact, array $quantities): int
    {
        // The same order of locks in every transaction, so that two orders can't wait for each other.
        ksort($quantities);
        $scarce = [];
        try {
            $orderId = $this->db->transaction(
                function (Connection $db) use ($quoteId, $customerId, $contact, $quantities, &$scarce): int {
                    $orderId = $this->insert($db, $quoteId, $customerId, $contact);
                    $scarce = $this->takeItems($db, $orderId, $quantities);
                    return $orderId;
                },
            );
        } catch (PDOException $error) {
            if (!ErrorCode::isDuplicate($error)) {
                throw $error;
            }
            return (int) $this->db->fetchValue('SELECT id FROM {sales_order} WHERE quote_id = ?', [$quoteId]);
        }
        if ($scarce !== []) {
            $this->catalog->invalidatePagesOf($scarce);
        }
        return $orderId;
    }

    /** @return list<array<string, mixed>> with their items under "items" */
    public function ofCustomer(int $customerId): array
    {
        return $this->withItems($this->db->fetchAll(
            'SELECT * FROM {sales_order} WHERE customer_id = ? ORDER BY id DESC LIMIT 50',
            [$customerId],
        ));
    }

    /** @return list<array<string, mixed>> */
    public function latest(): array
    {
        return $this->withItems($this->db->fetchAll('SELECT * FROM {sales_order} ORDER BY id DESC LIMIT 50'));
    }

    /** @return list<array<string, mixed>> */
    public function dailySales(): array
    {
        return $this->db->fetchAll('SELECT * FROM {sales_daily} ORDER BY day DESC LIMIT 14');
    }

    /** @return array<string, mixed>|null */
    public function find(int $id): ?array
    {
        return $this->withItems($this->db->fetchAll('SELECT * FROM {sales_order} WHERE id = ?', [$id]))[0] ?? null;
    }

    private function insert(Connection $db, string $quoteId, ?int $customerId, array $contact): int
    {
        return $db->insert(
            'INSERT INTO {sales_order} (quote_id, customer_id, email, name, address, total) VALUES (?, ?, ?, ?, ?, 0)',
            [$quoteId, $customerId, $contact['email'], $contact['name'], $contact['address']],
        );
    }

    /** @return list<int> products that are scarce now */
    private function takeItems(Connection $db, int $orderId, array $quantities): array
    {
        $total = 0;
        $scarce = [];
        foreach ($quantities as $productId => $quantity) {
            $taken = $db->execute(
                'UPDATE {stock} SET qty = qty - ? WHERE product_id = ? AND qty >= ?',
                [$quantity, $productId, $quantity],
            );
            $product = $db->fetchRow('SELECT p.name, p.sku, p.price, s.qty FROM {product} p
                JOIN {stock} s ON s.product_id = p.id WHERE p.id = ?', [$productId]);
            if ($taken !== 1 || $product === null) {
                throw new OutOfStock($product['name'] ?? 'An item');
            }
            $db->execute(
                'INSERT INTO {sales_order_item} (order_id, product_id, sku, name, price, qty) VALUES (?, ?, ?, ?, ?, ?)',
                [$orderId, $productId, $product['sku'], $product['name'], $product['price'], $quantity],
            );
            $db->execute(
                'UPDATE {product_index} SET qty = ?, sold = sold + ? WHERE product_id = ?',
                [$product['qty'], $quantity, $productId],
            );
            $total += $product['price'] * $quantity;
            if ($product['qty'] <= self::LOW_STOCK) {
                $scarce[] = $productId;
            }
        }
        $db->execute('UPDATE {sales_order} SET total = ? WHERE id = ?', [$total, $orderId]);
        return $scarce;
    }

    private function withItems(array $orders): array
    {
        foreach ($orders as &$order) {
            $order['items'] = $this->db
                ->fetchAll('SELECT * FROM {sales_order_item} WHERE order_id = ? ORDER BY id', [$order['id']]);
        }
        return $orders;
    }
}
