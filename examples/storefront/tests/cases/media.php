<?php

declare(strict_types=1);

namespace Storefront\Tests;

return [
    'thumbnails are made once, then the web server has them' => static function (Stack $stack, Browser $browser): void {
        $path = '/media/cache/480x480/catalog/harbour-mug.png';
        $replies = Browser::all(array_map(static fn (): array => $browser->prepare('GET', $path, null), range(1, 6)));
        foreach ($replies as $reply) {
            same(200, $reply->status, 'thumbnail');
            $size = getimagesizefromstring($reply->body);
            same([480, 480, IMAGETYPE_PNG], array_slice((array) $size, 0, 3), 'size');
        }
        same('', $browser->get($path)->header('X-Request-Id'), 'the second time it must not be PHP that answers');
        same([], glob("$stack->folder/shared/media/cache/480x480/catalog/.*.tmp"), 'temporary files left');
    },

    'what is no thumbnail of ours is a 404 with a placeholder' => static function (Stack $stack, Browser $browser): void {
        foreach (['cache/481x481/catalog/harbour-mug.png', 'cache/480x480/catalog/none.png', 'catalog/none.png',
            'cache/480x480/../../../release/REVISION.txt', 'cache/480x480/%2e%2e/%2e%2e/etc/passwd.png',
            'cache/480x480/cache/480x480/catalog/harbour-mug.png', 'cache/480x480/catalog/harbour-mug.png%00.png'] as $name) {
            $reply = $browser->get("/media/$name");
            expect(in_array($reply->status, [400, 404], true), "$name: $reply->status");
        }
        has('<svg', $browser->get('/media/catalog/none.png')->body, 'placeholder');
        same(404, $browser->get('/src/Config.php')->status, 'source');
    },
];
