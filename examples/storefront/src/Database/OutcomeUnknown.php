<?php

declare(strict_types=1);

namespace Storefront\Database;

use Storefront\Unavailable;

/** The connection broke while the database was asked to commit: the write may or may not have happened. */
final class OutcomeUnknown extends Unavailable
{
}
