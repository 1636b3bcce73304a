<?php

declare(strict_types=1);

namespace Storefront\Tests;

use CurlHandle;
use RuntimeException;

/** One visitor: keeps cookies, finds form keys, does not follow redirects. */
final class Browser
{
    /** @var array<string, string> */
    public array $cookies = [];

    public function __construct(private readonly int $port)
    {
    }

    public function get(string $path, array $headers = []): Reply
    {
        return self::all([$this->prepare('GET', $path, null, $headers, $this)])[0];
    }

    public function post(string $path, array|string $form, array $headers = []): Reply
    {
        return self::all([$this->prepare('POST', $path, $form, $headers, $this)])[0];
    }

    /** Sends a form of the shop, with the key that its page gave. */
    public function submit(string $page, string $path, array $form): Reply
    {
        return $this->post($path, ['form_key' => $this->formKey($page)] + $form);
    }

    public function formKey(string $page): string
    {
        $reply = $this->get($page);
        return preg_match('/name="form_key" value="([0-9a-f]{64})"/', $reply->body, $match) === 1
            ? $match[1] : throw new RuntimeException("no form on $page ($reply->status)");
    }

    /** @return array{CurlHandle, self} for all() */
    public function prepare(string $method, string $path, array|string|null $form, array $headers = []): array
    {
        $handle = curl_init("http://127.0.0.1:$this->port$path");
        $cookies = [];
        foreach ($this->cookies as $name => $value) {
            $cookies[] = "$name=$value";
        }
        curl_setopt_array($handle, [
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_HEADER => true,
            CURLOPT_NOBODY => $method === 'HEAD',
            CURLOPT_TIMEOUT => 20,
            CURLOPT_COOKIE => implode('; ', $cookies),
            CURLOPT_HTTPHEADER => [...$headers, 'Expect:'],
        ]);
        if ($form !== null) {
            $hasFile = is_array($form) && array_filter($form, is_object(...)) !== [];
            curl_setopt($handle, CURLOPT_POSTFIELDS, is_array($form) && !$hasFile ? http_build_query($form) : $form);
        }
        return [$handle, $this];
    }

    /** Sends requests of any number of visitors at once. @return list<Reply> in the order of the requests */
    public static function all(array $requests): array
    {
        $multi = curl_multi_init();
        foreach ($requests as [$handle]) {
            curl_multi_add_handle($multi, $handle);
        }
        do {
            curl_multi_exec($multi, $running);
            curl_multi_select($multi, 0.05);
        } while ($running > 0);
        $replies = [];
        foreach ($requests as [$handle, $browser]) {
            $reply = Reply::of($handle, (string) curl_multi_getcontent($handle));
            foreach ($reply->cookies as $name => $value) {
                $browser->cookies[$name] = $value;
            }
            $replies[] = $reply;
        }
        return $replies;
    }
}
