<?php

declare(strict_types=1);

namespace Storefront\Database;

use PDOException;

/** What an error number of MySQL or MariaDB says about the fate of a statement. */
final class ErrorCode
{
    private const CONNECTION_LOST = [2002, 2003, 2006, 2013, 2014, 1053, 1077, 1079, 1927];
    private const READ_ONLY = [1290, 1792, 1836];
    private const TRY_AGAIN = [1205, 1213];
    private const NO_CAPACITY = [1040, 1129, 1203, 1226];
    private const DUPLICATE = 1062;
    private const NO_SUCH_TABLE = 1146;

    public static function of(PDOException $error): int
    {
        return (int) ($error->errorInfo[1] ?? $error->getCode());
    }

    public static function isConnectionLost(PDOException $error): bool
    {
        return in_array(self::of($error), self::CONNECTION_LOST, true);
    }

    /** The server refused the write because it is a replica (any more, or not yet a primary). */
    public static function isReadOnly(PDOException $error): bool
    {
        return in_array(self::of($error), self::READ_ONLY, true);
    }

    /** Deadlock or lock wait time-out. */
    public static function isContention(PDOException $error): bool
    {
        return in_array(self::of($error), self::TRY_AGAIN, true);
    }

    public static function isNoCapacity(PDOException $error): bool
    {
        return in_array(self::of($error), self::NO_CAPACITY, true);
    }

    public static function isDuplicate(PDOException $error): bool
    {
        return self::of($error) === self::DUPLICATE;
    }

    public static function isNoSuchTable(PDOException $error): bool
    {
        return self::of($error) === self::NO_SUCH_TABLE;
    }
}
