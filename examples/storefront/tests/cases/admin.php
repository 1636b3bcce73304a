<?php

declare(strict_types=1);

namespace Storefront\Tests;

use CURLStringFile;

return [
    'the administrator logs in; nobody else' => static function (Stack $stack, Browser $browser): void {
        same('/admin/login', $browser->get('/admin')->header('Location'), 'a stranger');
        same('/admin/login', $browser->submit('/account/login', '/admin/products/1', ['price' => 1])->header('Location'), 'a stranger\'s form');
        same(422, $browser->submit('/admin/login', '/admin/login', ['username' => 'admin', 'password' => 'wrong'])->status, 'wrong password');
        $form = ['username' => 'admin', 'password' => $stack->environment['ADMIN_PASSWORD']];
        same('/admin', $browser->submit('/admin/login', '/admin/login', $form)->header('Location'), 'right password');
        has('ada@example.org', $browser->get('/admin')->body, 'orders');
        $browser->submit('/admin', '/admin/logout', []);
        same('/admin/login', $browser->get('/admin')->header('Location'), 'after logout');
    },

    'price, stock and picture change, and every page shows it' => static function (Stack $stack, Browser $browser): void {
        $login = ['username' => 'admin', 'password' => $stack->environment['ADMIN_PASSWORD']];
        $browser->submit('/admin/login', '/admin/login', $login);
        foreach (['/', '/category/light', '/product/pendant-opal'] as $path) {
            $browser->get($path);
        }
        $stock = (int) $stack->root()->query('SELECT qty FROM mck_stock WHERE product_id = 19')->fetchColumn();
        // The form was opened before five were sold: setting "one more" must not undo that.
        $stack->root()->exec('UPDATE mck_stock SET qty = qty - 5 WHERE product_id = 19');
        $form = ['price' => '123.45', 'qty' => $stock + 1, 'qty_shown' => $stock];
        $saved = $browser->submit('/admin/products', '/admin/products/19', $form);
        same('/admin/products?notice=saved', $saved->header('Location'), 'save');
        same($stock - 4, (int) $stack->root()->query('SELECT qty FROM mck_stock WHERE product_id = 19')->fetchColumn(), 'stock');
        has('$123.45', $browser->get('/product/pendant-opal')->body, 'product page');
        has('$123.45', $browser->get('/category/light')->body, 'category page');
        $below = $browser->submit('/admin/products', '/admin/products/19', ['qty' => 0, 'qty_shown' => 9999] + $form);
        same('/admin/products?notice=conflict', $below->header('Location'), 'stock below zero');
        $image = imagecreatetruecolor(900, 700);
        ob_start();
        imagewebp($image);
        $upload = ['image' => new CURLStringFile(ob_get_clean(), 'new.webp', 'image/webp')];
        $browser->submit('/admin/products', '/admin/products/19/image', $upload);
        $page = $browser->get('/product/pendant-opal')->body;
        expect(preg_match('#/media/cache/640x640/catalog/[0-9a-f]{40}\.webp#', $page, $match) === 1, 'new picture');
        same(200, $browser->get($match[0])->status, 'thumbnail of the new picture');
        same('HIT', $browser->get('/product/pendant-opal')->header('X-Magento-Cache-Debug'), 'before the flush');
        same('/admin?notice=flushed', $browser->submit('/admin', '/admin/cache/flush', [])->header('Location'), 'flush');
        same('MISS', $browser->get('/product/pendant-opal')->header('X-Magento-Cache-Debug'), 'after the flush');
    },
];
