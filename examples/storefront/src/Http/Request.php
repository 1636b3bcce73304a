<?php

declare(strict_types=1);

namespace Storefront\Http;

final readonly class Request
{
    /** @param array<string, string> $server */
    private function __construct(
        public string $id,
        public string $method,
        public string $path,
        private array $query,
        private array $form,
        private array $files,
        private array $cookies,
        private array $server,
    ) {
    }

    public static function fromGlobals(): self
    {
        $path = parse_url($_SERVER['REQUEST_URI'] ?? '/', PHP_URL_PATH);
        return new self(
            self::identify($_SERVER),
            $_SERVER['REQUEST_METHOD'] ?? 'GET',
            rawurldecode(is_string($path) ? $path : '/'),
            $_GET,
            $_POST,
            $_FILES,
            $_COOKIE,
            $_SERVER,
        );
    }

    public function query(string $name, string $default = ''): string
    {
        return self::text($this->query, $name, $default);
    }

    public function form(string $name, string $default = ''): string
    {
        return trim(self::text($this->form, $name, $default));
    }

    public function cookie(string $name): string
    {
        return self::text($this->cookies, $name, '');
    }

    /** A file that was really sent, or null. @return array{tmp_name: string, size: int, error: int}|null */
    public function file(string $name): ?array
    {
        $file = $this->files[$name] ?? null;
        $isOneFile = is_array($file) && is_int($file['error'] ?? null) && $file['error'] !== UPLOAD_ERR_NO_FILE;
        return $isOneFile ? $file : null;
    }

    /** At most $limit bytes of the raw body. */
    public function body(int $limit): string
    {
        return (string) file_get_contents('php://input', length: $limit);
    }

    /** PHP drops the whole form, silently, when the body is larger than post_max_size. */
    public function wasTooLarge(): bool
    {
        return $this->isWrite() && $this->form === [] && $this->files === []
            && (int) ($this->server['CONTENT_LENGTH'] ?? 0) > ini_parse_quantity((string) ini_get('post_max_size'));
    }

    public function isWrite(): bool
    {
        return !in_array($this->method, ['GET', 'HEAD'], true);
    }

    public function isSecure(): bool
    {
        return ($this->server['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https' || ($this->server['HTTPS'] ?? '') === 'on';
    }

    private static function text(array $values, string $name, string $default): string
    {
        $value = $values[$name] ?? $default;
        return is_string($value) && mb_check_encoding($value, 'UTF-8') ? $value : $default;
    }

    private static function identify(array $server): string
    {
        foreach (['HTTP_X_REQUEST_ID', 'HTTP_X_AMZN_TRACE_ID'] as $header) {
            if (preg_match('/^[\w.:;=+\/-]{1,128}$/', $server[$header] ?? '') === 1) {
                return $server[$header];
            }
        }
        return bin2hex(random_bytes(16));
    }
}
