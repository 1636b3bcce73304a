<?php

/** Runs every case against real servers: php tests/run.php [part of a case's name] */

declare(strict_types=1);

namespace Storefront\Tests;

use RuntimeException;
use Throwable;

require __DIR__ . '/../src/autoload.php';
require __DIR__ . '/Stack.php';
require __DIR__ . '/Browser.php';
require __DIR__ . '/Reply.php';

function expect(bool $holds, string $otherwise): void
{
    if (!$holds) {
        throw new RuntimeException($otherwise);
    }
}

function same(mixed $expected, mixed $actual, string $what): void
{
    expect($expected === $actual, "$what: expected " . json_encode($expected) . ', got ' . json_encode($actual));
}

function has(string $part, string $whole, string $what): void
{
    expect(str_contains($whole, $part), "$what: \"$part\" is not in: " . substr($whole, 0, 600));
}

function main(string $filter): int
{
    $start = microtime(true);
    $stack = new Stack();
    register_shutdown_function($stack->destroy(...));
    pcntl_async_signals(true);
    foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
        pcntl_signal($signal, static fn () => exit(130));
    }
    $passed = 0;
    $failed = 0;
    $cases = [];
    foreach (['install', 'pages', 'media', 'shop', 'admin', 'operations', 'drill', 'concurrency', 'connection', 'failures'] as $file) {
        $cases += require __DIR__ . "/cases/$file.php";
    }
    foreach ($cases as $name => $case) {
        // The first case makes the shop that all others use.
        if ($passed + $failed > 0 && !str_contains($name, $filter)) {
            continue;
        }
        $began = microtime(true);
        try {
            $note = $case($stack, new Browser($stack->httpPort));
            $passed++;
            printf("ok      %s (%d ms)%s\n", $name, 1000 * (microtime(true) - $began), $note === null ? '' : ": $note");
        } catch (Throwable $error) {
            $failed++;
            printf("FAILED  %s\n        %s (%s:%d)\n", $name, $error->getMessage(), basename($error->getFile()), $error->getLine());
            if ($passed === 0) {
                break;
            }
        }
    }
    if ($failed > 0) {
        fwrite(STDERR, "--- end of the shop's log\n" . substr($stack->log('fpm'), -3000));
    }
    printf("%d passed, %d failed in %.1f s\n", $passed, $failed, microtime(true) - $start);
    return $failed === 0 ? 0 : 1;
}

exit(main($argv[1] ?? ''));
