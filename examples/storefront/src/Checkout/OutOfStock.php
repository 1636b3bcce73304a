<?php

declare(strict_types=1);

namespace Storefront\Checkout;

use RuntimeException;

final class OutOfStock extends RuntimeException
{
}
