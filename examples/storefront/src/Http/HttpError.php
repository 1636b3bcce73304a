<?php

declare(strict_types=1);

namespace Storefront\Http;

use RuntimeException;

/** An answer that is not the page that was asked for; its message is shown to the visitor. */
final class HttpError extends RuntimeException
{
    public function __construct(public readonly int $status, string $message)
    {
        parent::__construct($message);
    }

    public static function notFound(): self
    {
        return new self(404, 'There is nothing here. It may have moved, or never have been.');
    }
}
