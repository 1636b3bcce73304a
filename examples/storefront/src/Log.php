<?php

declare(strict_types=1);

namespace Storefront;

use Throwable;

/** One JSON line an event on stderr, carrying the request id. */
final class Log
{
    /** php-fpm cuts lines from its workers at 1024 bytes; a cut line would not be JSON any more. */
    private const MAX_MESSAGE = 600;

    public function __construct(private readonly string $requestId = '', private readonly string $target = 'php://stderr')
    {
    }

    public function error(string $message, ?Throwable $cause = null): void
    {
        $this->write('error', $message, $cause);
    }

    public function warning(string $message, ?Throwable $cause = null): void
    {
        $this->write('warning', $message, $cause);
    }

    private function write(string $level, string $message, ?Throwable $cause): void
    {
        $event = ['time' => gmdate('c'), 'level' => $level, 'request_id' => $this->requestId];
        if ($cause !== null) {
            $message .= ': ' . $cause::class . ': ' . $cause->getMessage();
            $event['at'] = basename($cause->getFile()) . ':' . $cause->getLine();
        }
        $event['message'] = mb_strcut($message, 0, self::MAX_MESSAGE);
        $line = json_encode($event, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE);
        file_put_contents($this->target, $line . "\n");
    }
}
