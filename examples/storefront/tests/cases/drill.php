<?php

declare(strict_types=1);

namespace Storefront\Tests;

return [
    'tokens: committed, unique, listed in pages' => static function (Stack $stack, Browser $browser): void {
        $posts = array_map(static fn (int $i): array => $browser->prepare('POST', '/api/token', ['token' => "t-$i"]), range(1, 30));
        $ids = [];
        foreach (Browser::all($posts) as $reply) {
            same(201, $reply->status, 'token');
            $ids[$reply->json()['id']] = $reply->json()['token'];
        }
        same(30, count($ids), 'different ids');
        $listed = [];
        for ($after = 0; $after !== null; $after = $page['next_after_id']) {
            $page = $browser->get("/api/tokens?limit=7&after_id=$after")->json();
            foreach ($page['tokens'] as $row) {
                $listed[$row['id']] = $row['token'];
            }
        }
        ksort($ids);
        same($ids, $listed, 'listed tokens');
        same(409, $browser->post('/api/token', ['token' => 't-1'])->status, 'a token that is there');
        same(422, $browser->post('/api/token', ['token' => 'a b'])->status, 'a token that is none');
    },

    'session: what was set is read back, also over many requests' => static function (Stack $stack, Browser $browser): void {
        same(['key' => 'value', 'value' => 'x y'], $browser->post('/api/session', ['value' => 'x y'])->json(), 'set');
        same(['session' => ['value' => 'x y']], $browser->get('/api/session')->json(), 'get');
        same(['session' => []], (new Browser($stack->httpPort))->get('/api/session')->json(), 'another visitor');
    },

    'media: the file is on the shared disk when its URL is told' => static function (Stack $stack, Browser $browser): void {
        $bytes = random_bytes(5000);
        $reply = $browser->post('/api/media', $bytes, ['Content-Type: application/octet-stream']);
        same(201, $reply->status, 'upload');
        same($bytes, $browser->get($reply->json()['url'])->body, 'what comes back');
        same($reply->json(), $browser->post('/api/media', ['file' => new \CURLStringFile($bytes, 'x')])->json(), 'the same as a form');
        same(413, $browser->post('/api/media', random_bytes(70_000), ['Content-Type: application/octet-stream'])->status, 'too large');
        same(413, $browser->post('/api/media', '', ['Content-Type: application/octet-stream'])->status, 'empty');
    },

    'whoami' => static function (Stack $stack, Browser $browser): void {
        $reply = $browser->get('/api/whoami')->json();
        same([gethostname(), 'task-under-test', 'test-revision-7'], array_values($reply), 'whoami');
        same(['error'], array_keys($browser->get('/api/none')->json()), 'an unknown call');
    },
];
