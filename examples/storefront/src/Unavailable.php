<?php

declare(strict_types=1);

namespace Storefront;

use RuntimeException;

/** A service we depend on can't do its part just now. Answered with 503 and Retry-After. */
class Unavailable extends RuntimeException
{
}
