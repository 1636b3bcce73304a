<?php

declare(strict_types=1);

namespace Storefront\Tests;

return [
    'twenty buyers of the last three: three orders, no oversell' => static function (Stack $stack): void {
        $stack->root()->exec('UPDATE mck_stock SET qty = 3 WHERE product_id = 22');
        $before = (int) $stack->root()->query('SELECT COUNT(*) FROM mck_sales_order')->fetchColumn();
        $posts = [];
        for ($i = 0; $i < 20; $i++) {
            $buyer = new Browser($stack->httpPort);
            // In two orders of the cart's lines, so that they would block each other if the shop did not sort them.
            foreach ($i % 2 === 0 ? [22, 1] : [1, 22] as $id) {
                $buyer->submit('/account/login', '/cart/add', ['product_id' => $id]);
            }
            $form = ['form_key' => $buyer->formKey('/checkout'), 'email' => "b$i@example.org", 'name' => 'B', 'address' => 'A'];
            $posts[] = $buyer->prepare('POST', '/checkout', $form);
        }
        $statuses = array_count_values(array_map(static fn (Reply $reply): int => $reply->status, Browser::all($posts)));
        ksort($statuses);
        same([303 => 3, 409 => 17], $statuses, 'answers');
        same(0, (int) $stack->root()->query('SELECT qty FROM mck_stock WHERE product_id = 22')->fetchColumn(), 'stock');
        same($before + 3, (int) $stack->root()->query('SELECT COUNT(*) FROM mck_sales_order')->fetchColumn(), 'orders');
        has('Sold out', (new Browser($stack->httpPort))->get('/product/waxed-pack')->body, 'product page');
    },

    'forty writes at once to one session: none is lost' => static function (Stack $stack, Browser $browser): void {
        $browser->get('/');
        $posts = [];
        for ($i = 0; $i < 40; $i++) {
            $posts[] = $browser->prepare('POST', '/api/session', ['key' => "k$i", 'value' => (string) $i]);
        }
        foreach (Browser::all($posts) as $reply) {
            same(200, $reply->status, 'write');
        }
        same(40, count($browser->get('/api/session')->json()['session']), 'keys');
    },

    'twenty clicks on "Add to cart" at once: twenty in the cart' => static function (Stack $stack, Browser $browser): void {
        $form = ['form_key' => $browser->formKey('/account/login'), 'product_id' => 2];
        Browser::all(array_map(static fn (): array => $browser->prepare('POST', '/cart/add', $form), range(1, 20)));
        has('Cart <b>20</b>', $browser->get('/')->body, 'cart');
    },
];
