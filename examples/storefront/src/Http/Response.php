<?php

declare(strict_types=1);

namespace Storefront\Http;

final class Response
{
    /** @var array<string, string> */
    private array $headers = [];
    /** @var list<array{string, string, array<string, mixed>}> */
    private array $cookies = [];

    private function __construct(public readonly int $status, public string $body, public readonly bool $hasHoles)
    {
    }

    /** A page of the shop, whose personal holes the kernel fills. */
    public static function page(string $html, int $status = 200): self
    {
        return (new self($status, $html, true))
            ->with('Content-Type', 'text/html; charset=utf-8')
            ->with('Cache-Control', 'private, no-cache');
    }

    public static function json(array $data, int $status = 200): self
    {
        $flags = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR;
        return (new self($status, json_encode($data, $flags) . "\n", false))
            ->with('Content-Type', 'application/json')
            ->with('Cache-Control', 'no-store');
    }

    public static function redirect(string $url): self
    {
        return (new self(303, '', false))->with('Location', $url)->with('Cache-Control', 'no-store');
    }

    public static function file(string $bytes, string $type, int $status, string $cacheControl): self
    {
        return (new self($status, $bytes, false))->with('Content-Type', $type)->with('Cache-Control', $cacheControl);
    }

    public function with(string $header, string $value): self
    {
        $this->headers[$header] = $value;
        return $this;
    }

    public function withCookie(string $name, string $value, bool $secure): self
    {
        $options = ['path' => '/', 'secure' => $secure, 'httponly' => true, 'samesite' => 'Lax'];
        $this->cookies[] = [$name, $value, $options];
        return $this;
    }

    public function send(bool $withBody): void
    {
        http_response_code($this->status);
        header_remove('X-Powered-By');
        $policy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
        $common = [
            'Content-Security-Policy' => $policy,
            'Referrer-Policy' => 'same-origin',
            'X-Content-Type-Options' => 'nosniff',
            'Content-Length' => (string) strlen($this->body),
        ];
        foreach ($common + $this->headers as $name => $value) {
            header("$name: $value");
        }
        foreach ($this->cookies as [$name, $value, $options]) {
            setcookie($name, $value, $options);
        }
        if ($withBody) {
            echo $this->body;
        }
    }
}
