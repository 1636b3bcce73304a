<?php

declare(strict_types=1);

namespace Storefront\Customer;

use PDOException;
use Storefront\Cache\Cache;
use Storefront\Database\Connection;
use Storefront\Database\ErrorCode;
use Storefront\Http\HttpError;

/** Customers and administrators, and the check of their passwords. */
final readonly class Accounts
{
    public const MIN_PASSWORD = 8;
    private const MAX_FAILURES_A_MINUTE = 10;
    /** Hash of bytes that nobody kept, to be as slow for a name that does not exist as for one that does. */
    private const NO_PASSWORD = '$2y$10$/SxHHEaaAhzfDbBgm6e4Mu1pif.NQVqkixssV9KfXOP0pLAWP0oAi';

    public function __construct(private Connection $db, private Cache $cache)
    {
    }

    /** @return int|null the new customer's id, null when the address is taken */
    public function register(string $email, string $name, #[\SensitiveParameter] string $password): ?int
    {
        try {
            return $this->db->insert(
                'INSERT INTO {customer} (email, name, password_hash) VALUES (?, ?, ?)',
                [mb_strtolower($email), $name, password_hash($password, PASSWORD_DEFAULT)],
            );
        } catch (PDOException $error) {
            return ErrorCode::isDuplicate($error) ? null : throw $error;
        }
    }

    /** @return array{id: int, name: string}|null */
    public function logInCustomer(string $email, #[\SensitiveParameter] string $password): ?array
    {
        $sql = 'SELECT id, name, password_hash FROM {customer} WHERE email = ?';
        return $this->logIn('customer', $sql, mb_strtolower($email), $password);
    }

    /** @return array{id: int, name: string}|null */
    public function logInAdmin(string $username, #[\SensitiveParameter] string $password): ?array
    {
        $sql = 'SELECT id, username AS name, password_hash FROM {admin_user} WHERE username = ?';
        return $this->logIn('admin', $sql, $username, $password);
    }

    public function adminExists(string $username): bool
    {
        return $this->db->fetchValue('SELECT 1 FROM {admin_user} WHERE username = ?', [$username]) !== null;
    }

    /** Creates the administrator, or sets a new password. */
    public function setAdmin(string $username, #[\SensitiveParameter] string $password): void
    {
        $this->db->execute(
            'INSERT INTO {admin_user} (username, password_hash) VALUES (?, ?)
                ON DUPLICATE KEY UPDATE password_hash = VALUES(password_hash)',
            [$username, password_hash($password, PASSWORD_DEFAULT)],
        );
    }

    private function logIn(string $kind, string $sql, string $login, #[\SensitiveParameter] string $password): ?array
    {
        $row = $this->db->fetchRow($sql, [$login]);
        $isRight = password_verify($password, $row['password_hash'] ?? self::NO_PASSWORD);
        if ($row !== null && $isRight) {
            return ['id' => $row['id'], 'name' => $row['name']];
        }
        if ($this->cache->count('login:' . $kind . ':' . sha1($login), 60) > self::MAX_FAILURES_A_MINUTE) {
            throw new HttpError(429, 'Too many attempts. Please wait a minute.');
        }
        return null;
    }
}
