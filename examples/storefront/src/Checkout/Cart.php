<?php

declare(strict_types=1);

namespace Storefront\Checkout;

use Storefront\Catalog\Catalog;
use Storefront\Http\Session;

/** The cart lives in the session: product ids with quantities, and the quote id that its order will carry. */
final readonly class Cart
{
    public const MAX_QUANTITY = 20;
    private const MAX_LINES = 50;

    public function __construct(private Session $session, private Catalog $catalog)
    {
    }

    /** @return array<int, int> quantity by product id */
    public function quantities(): array
    {
        return $this->session->get('cart', []);
    }

    public function count(): int
    {
        return array_sum($this->quantities());
    }

    /** @return array{lines: list<array<string, mixed>>, total: int} total in cents */
    public function summary(): array
    {
        $quantities = $this->quantities();
        $lines = [];
        $total = 0;
        foreach ($this->catalog->products(array_keys($quantities)) as $id => $product) {
            $sum = $product['price'] * $quantities[$id];
            $lines[] = ['product' => $product, 'qty' => $quantities[$id], 'sum' => $sum];
            $total += $sum;
        }
        return ['lines' => $lines, 'total' => $total];
    }

    public function add(int $productId, int $quantity): void
    {
        $this->change(static fn (array $cart): array => [$productId => ($cart[$productId] ?? 0) + $quantity] + $cart);
    }

    public function set(int $productId, int $quantity): void
    {
        $this->change(static fn (array $cart): array => [$productId => $quantity] + $cart);
    }

    private function change(callable $change): void
    {
        $this->session->update(static function (array $data) use ($change): array {
            $cart = array_filter($change($data['cart'] ?? []), static fn (int $quantity): bool => $quantity > 0);
            $cart = array_map(static fn (int $quantity): int => min($quantity, self::MAX_QUANTITY), $cart);
            ksort($cart);
            $data['cart'] = array_slice($cart, 0, self::MAX_LINES, true);
            // A changed cart is another purchase than one that may have been ordered already.
            $data['quote_id'] = bin2hex(random_bytes(16));
            return $data;
        });
    }
}
