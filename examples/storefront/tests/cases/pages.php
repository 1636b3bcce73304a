<?php

declare(strict_types=1);

namespace Storefront\Tests;

return [
    'catalog pages come from the page cache the second time' => static function (Stack $stack, Browser $browser): void {
        $stack->magento('cache:flush');
        foreach (['/', '/category/desk', '/category/desk?p=2', '/product/harbour-mug'] as $path) {
            $first = $browser->get($path);
            same(200, $first->status, $path);
            same('MISS', $first->header('X-Magento-Cache-Debug'), "first $path");
            same('HIT', $browser->get($path)->header('X-Magento-Cache-Debug'), "second $path");
        }
        same('HIT', $browser->get('/?nocache=1&utm_source=x')->header('X-Magento-Cache-Debug'), 'with other parameters');
        $stack->magento('cache:flush');
        same('MISS', $browser->get('/')->header('X-Magento-Cache-Debug'), 'after a flush');
        $random = $browser->get('/catalog/random');
        same(200, $random->status, 'random product');
        same('', $random->header('X-Magento-Cache-Debug'), 'random product');
        has('Add to cart', $random->body, 'random product');
    },

    'a cached page holds nothing of the visitor who caused it' => static function (Stack $stack, Browser $browser): void {
        $stack->magento('cache:flush');
        $browser->submit('/product/dune-lamp', '/cart/add', ['product_id' => 15, 'qty' => 3]);
        has('Cart <b>3</b>', $browser->get('/product/dune-lamp')->body, 'the visitor sees the cart');
        $other = new Browser($stack->httpPort);
        $page = $other->get('/product/dune-lamp');
        same('HIT', $page->header('X-Magento-Cache-Debug'), 'the other one gets the cached page');
        expect(!str_contains($page->body, 'Cart <b>'), 'the cart of another visitor is shown');
        expect($other->formKey('/product/dune-lamp') !== $browser->formKey('/product/dune-lamp'), 'form keys are the same');
        expect(!str_contains($page->body, '<!--hole:'), 'a hole was left open');
    },

    'categories have pages' => static function (Stack $stack, Browser $browser): void {
        has('Harbour Mug', $browser->get('/category/kitchen')->body, 'page 1');
        has('Olive Oil Can', $browser->get('/category/kitchen?p=2')->body, 'page 2');
        same(404, $browser->get('/category/kitchen?p=3')->status, 'page 3');
        same(404, $browser->get('/category/none')->status, 'unknown category');
        same(404, $browser->get('/product/none')->status, 'unknown product');
        same(404, $browser->get('/nothing/here')->status, 'unknown path');
        same(405, $browser->get('/cart/add')->status, 'wrong method');
    },

    'search finds, and escapes what was searched for' => static function (Stack $stack, Browser $browser): void {
        has('Storm Lantern', $browser->get('/search?q=lantern')->body, 'by name');
        has('Watering Can', $browser->get('/search?q=rose+rains')->body, 'by words of the description');
        has('0 found', $browser->get('/search?q=%25')->body, 'a wildcard is a letter');
        $page = $browser->get('/search?q=' . rawurlencode('"><script>alert(1)</script><!--hole:form_key-->'))->body;
        expect(!str_contains($page, '<script>'), 'the query is not escaped');
        same(200, $browser->get('/search?q[]=x')->status, 'a query that is a list');
        same(200, $browser->get('/search?q=%ff%fe')->status, 'a query that is not UTF-8');
    },

    'headers: request id, cookie flags, safety, HEAD' => static function (Stack $stack, Browser $browser): void {
        $page = $browser->get('/', ['X-Request-Id: abc-123', 'X-Forwarded-Proto: https']);
        same('abc-123', $page->header('X-Request-Id'), 'request id');
        foreach (['secure', 'HttpOnly', 'SameSite=Lax'] as $flag) {
            has($flag, $page->header('Set-Cookie'), 'cookie behind TLS');
        }
        has("default-src 'self'", $page->header('Content-Security-Policy'), 'policy');
        $plain = new Browser($stack->httpPort);
        $reply = $plain->get('/', ['X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678']);
        same('Root=1-67891233-abcdef012345678912345678', $reply->header('X-Request-Id'), 'trace id');
        expect(!str_contains($reply->header('Set-Cookie'), 'secure'), 'cookie without TLS');
        expect(preg_match('/^[0-9a-f]{32}$/', $plain->get('/', ['X-Request-Id: a b"c'])->header('X-Request-Id')) === 1, 'odd id');
        has('test-revision-7', $page->body, 'revision in the footer');
        $head = Browser::all([$browser->prepare('HEAD', '/', null)])[0];
        same([200, ''], [$head->status, $head->body], 'HEAD');
        same(200, $browser->get('/static/storefront.css')->status, 'style sheet');
    },

    'a forged session id is replaced' => static function (Stack $stack, Browser $browser): void {
        $browser->cookies['storefront_session'] = str_repeat('a', 32) . '.' . str_repeat('0', 64);
        $browser->get('/');
        expect(!str_starts_with($browser->cookies['storefront_session'], 'aaaa'), 'the forged id was kept');
    },
];
