<?php

declare(strict_types=1);

namespace Storefront\Tests;

use CurlHandle;

final readonly class Reply
{
    /** @param array<string, string> $headers lower-case names @param array<string, string> $cookies */
    private function __construct(
        public int $status,
        public array $headers,
        public array $cookies,
        public string $body,
        public float $seconds,
    ) {
    }

    public static function of(CurlHandle $handle, string $raw): self
    {
        $length = curl_getinfo($handle, CURLINFO_HEADER_SIZE);
        $headers = [];
        $cookies = [];
        foreach (explode("\r\n", substr($raw, 0, $length)) as $line) {
            [$name, $value] = explode(': ', $line, 2) + [1 => ''];
            $headers[strtolower($name)] = $value;
            if (strtolower($name) === 'set-cookie' && preg_match('/^([^=]+)=([^;]*)/', $value, $match) === 1) {
                $cookies[$match[1]] = $match[2];
            }
        }
        $status = curl_getinfo($handle, CURLINFO_RESPONSE_CODE);
        return new self($status, $headers, $cookies, substr($raw, $length), curl_getinfo($handle, CURLINFO_TOTAL_TIME));
    }

    public function header(string $name): string
    {
        return $this->headers[strtolower($name)] ?? '';
    }

    public function json(): array
    {
        return (array) json_decode($this->body, true);
    }
}
