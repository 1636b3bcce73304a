<?php

declare(strict_types=1);

namespace Storefront\Console;

use RuntimeException;

final class UsageError extends RuntimeException
{
}
