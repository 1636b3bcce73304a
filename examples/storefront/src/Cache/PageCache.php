<?php

declare(strict_types=1);

namespace Storefront\Cache;

use Storefront\Http\Request;
use Storefront\Http\Response;

/** Full pages of the catalog. They hold nothing personal: the kernel fills their holes after they leave the cache. */
final readonly class PageCache
{
    /** Seconds. Also bounds how long a page can be stale when an invalidation was lost with the cache. */
    private const LIFETIME = 300;

    public function __construct(private Cache $cache)
    {
    }

    /**
     * @param array<string, scalar> $variation the only query parameters that make another page
     * @param list<string> $tags
     * @param callable(): string $render may throw; then nothing is stored
     */
    public function serve(Request $request, array $variation, array $tags, callable $render): Response
    {
        $key = 'page:' . sha1($request->path . '?' . http_build_query($variation));
        $lookup = $this->cache->lookUp($key, $tags);
        $html = $lookup->value;
        if ($html === null) {
            $html = $render();
            $this->cache->store($lookup, $html, self::LIFETIME);
        }
        return Response::page($html)->with('X-Magento-Cache-Debug', $lookup->value === null ? 'MISS' : 'HIT');
    }
}
