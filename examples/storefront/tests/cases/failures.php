<?php

declare(strict_types=1);

namespace Storefront\Tests;

$failing = static fn (Reply $reply): array
    => array_keys(array_filter($reply->json()['checks'], static fn (array $check): bool => $check['status'] !== 'ok'));

return [
    'health: everything is well, and liveness asks nobody' => static function (Stack $stack, Browser $browser): string {
        $reply = $browser->get('/health_check.php');
        same([200, 'ok'], [$reply->status, $reply->json()['status']], 'health');
        same(['configuration', 'database', 'redis_cache', 'redis_session', 'media'], array_keys($reply->json()['checks']), 'checks');
        return sprintf('%.1f ms', 1000 * $reply->seconds);
    },

    'health: with every host black-holed it says so within two seconds' => static function (Stack $stack) use ($failing): string {
        $browser = new Browser($stack->blackHolePort);
        $reply = $browser->get('/health_check.php');
        same(503, $reply->status, 'status');
        same(['database', 'redis_cache', 'redis_session'], $failing($reply), 'failing checks');
        expect($reply->seconds <= 2.0, "took $reply->seconds s");
        same(200, $browser->get('/health_check.php?liveness')->status, 'liveness');
        return sprintf('%d ms', 1000 * $reply->seconds);
    },

    'health: servers that accept and then say nothing' => static function (Stack $stack, Browser $browser) use ($failing): string {
        $seconds = 0.0;
        foreach (['database' => 'database', 'cache' => 'redis_cache', 'session' => 'redis_session'] as $name => $check) {
            $stack->signal($name, SIGSTOP);
            $reply = $browser->get('/health_check.php');
            $stack->signal($name, SIGCONT);
            same([503, [$check]], [$reply->status, $failing($reply)], "$name frozen");
            expect($reply->seconds <= 2.0, "$name frozen: took $reply->seconds s");
            $seconds = max($seconds, $reply->seconds);
        }
        return sprintf('at most %d ms', 1000 * $seconds);
    },

    'health: a missing key for signatures' => static function (Stack $stack): void {
        $run = $stack->health(['CRYPT_KEY' => '']);
        has('"configuration":{"status":"error","reason":"CRYPT_KEY is not set."', $run, 'health');
    },

    'health: media that can\'t be written' => static function (Stack $stack, Browser $browser) use ($failing): void {
        rename("$stack->folder/shared/media", "$stack->folder/shared/gone");
        $reply = $browser->get('/health_check.php');
        rename("$stack->folder/shared/gone", "$stack->folder/shared/media");
        same([503, ['media']], [$reply->status, $failing($reply)], 'health');
        same(200, $browser->get('/health_check.php')->status, 'after it came back');
    },

    'without the cache everything works' => static function (Stack $stack, Browser $browser): void {
        $stack->stop('cache');
        foreach (['/', '/product/harbour-mug', '/category/desk', '/search?q=mug'] as $path) {
            $reply = $browser->get($path, ['X-Request-Id: no-cache-1']);
            expect($reply->status === 200 && $reply->header('X-Magento-Cache-Debug') !== 'HIT', "$path: $reply->status");
        }
        same('/cart?notice=added', $browser->submit('/product/harbour-mug', '/cart/add', ['product_id' => 3])->header('Location'), 'add to cart');
        $log = $stack->log('fpm');
        has('"request_id":"no-cache-1"', $log, 'log');
        has('cache unreachable', $log, 'log');
        $stack->startRedis('cache');
        sleep(3);
        $browser->get('/');
        same('HIT', $browser->get('/')->header('X-Magento-Cache-Debug'), 'after it came back');
    },

    'without the session cluster pages show, and nothing claims to be stored' => static function (Stack $stack, Browser $browser): void {
        $key = $browser->formKey('/account/login');
        $stack->redis('session')->config('SET', 'maxmemory', '1');
        same(503, $browser->post('/api/session', ['value' => '1'])->status, 'a full cluster');
        same(503, $browser->post('/cart/add', ['form_key' => $key, 'product_id' => 3])->status, 'add to cart, full');
        $stack->stop('session');
        same(200, $browser->get('/')->status, 'home');
        $reply = $browser->post('/cart/add', ['form_key' => $key, 'product_id' => 3]);
        same([503, '1'], [$reply->status, $reply->header('Retry-After')], 'add to cart');
        same(503, $browser->get('/api/session')->status, 'session');
        same(503, $browser->get('/account')->status, 'account');
        same(200, (new Browser($stack->httpPort))->get('/api/whoami')->status, 'what needs no session');
        $stack->startRedis('session');
        same(303, $browser->post('/cart/add', ['form_key' => $key, 'product_id' => 3])->status, 'after it came back');
    },

    'a database that became read-only: 503, and nothing is lost or made up' => static function (Stack $stack, Browser $browser): void {
        $stack->root()->exec('SET GLOBAL read_only = 1');
        $reply = $browser->post('/api/token', ['token' => 'read-only']);
        $stack->root()->exec('SET GLOBAL read_only = 0');
        same([503, '1'], [$reply->status, $reply->header('Retry-After')], 'token');
        same(201, $browser->post('/api/token', ['token' => 'read-only'])->status, 'the same token afterwards');
    },

    'a database that was killed: cached pages stay, the rest is 503; every 201 survived' => static function (Stack $stack, Browser $browser): string {
        $browser->get('/product/harbour-mug');
        $browser->get('/');
        $posts = array_map(static fn (int $i): array => $browser->prepare('POST', '/api/token', ['token' => "kill-$i"]), range(1, 20));
        $stack->signal('database', SIGSTOP);
        $waiting = static fn (): array => Browser::all($posts);
        $pid = pcntl_fork();
        if ($pid === 0) {
            usleep(300_000);
            $stack->signal('database', SIGCONT);
            usleep(4_000);
            $stack->signal('database', SIGKILL);
            posix_kill(getmypid(), SIGKILL);
        }
        $replies = $waiting();
        pcntl_waitpid($pid, $status);
        $stack->stop('database');
        same([200, 'HIT'], [($page = $browser->get('/'))->status, $page->header('X-Magento-Cache-Debug')], 'a cached page');
        $reply = $browser->get('/catalog/random');
        same([503, '1'], [$reply->status, $reply->header('Retry-After')], 'an uncached page');
        $stack->startDatabase();
        $stack->awaitDatabase();
        $stored = $stack->root()->query('SELECT token FROM mck_drill_token')->fetchAll(\PDO::FETCH_COLUMN);
        foreach ($replies as $reply) {
            expect(in_array($reply->status, [201, 503], true), "token: $reply->status");
            expect($reply->status === 503 || in_array($reply->json()['token'], $stored, true), 'an acknowledged token is lost');
        }
        same(200, $browser->get('/catalog/random')->status, 'after it came back');
        return json_encode(array_count_values(array_map(static fn (Reply $reply): int => $reply->status, $replies)));
    },

    'no secret is in any log or answer' => static function (Stack $stack, Browser $browser): void {
        $texts = $stack->log('fpm') . $stack->log('nginx') . $browser->get('/health_check.php')->body
            . (new Browser($stack->blackHolePort))->get('/health_check.php')->body;
        foreach ($stack->environment as $name => $value) {
            $isSecret = str_ends_with($name, 'PASSWORD') || $name === 'CRYPT_KEY';
            expect(!$isSecret || !str_contains($texts, $value), "$name is in a log or an answer");
        }
        expect(substr_count($stack->log('fpm'), '"level":') > 0, 'the log holds nothing, so this proves nothing');
    },
];
