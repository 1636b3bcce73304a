<?php

declare(strict_types=1);

namespace Storefront\Cache;

/** What was found in the cache, and the stamp of its tags at that moment, which whatever is computed now must carry. */
final readonly class Lookup
{
    /** @param string $stamp empty when the cache could not be asked */
    public function __construct(public string $key, public string $stamp, public ?string $value)
    {
    }
}
