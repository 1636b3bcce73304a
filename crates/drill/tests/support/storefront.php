<?php

/**
 * The real storefront on real servers. Prints its port, then restarts what each line on standard input names, by
 * kill -9 and without any grace, and prints "done"; ends with its input.
 */

declare(strict_types=1);

use Storefront\Tests\Stack;

require __DIR__ . '/../../../../examples/storefront/src/autoload.php';
require __DIR__ . '/../../../../examples/storefront/tests/Stack.php';

$stack = new Stack();
register_shutdown_function($stack->destroy(...));
pcntl_async_signals(true);
foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
    pcntl_signal($signal, static fn () => exit(130));
}
$stack->startRedis('cache');
$stack->startRedis('session');
$stack->startDatabase();
$installed = $stack->magento('setup:install --timeout=60');
if ($installed['code'] !== 0) {
    fwrite(STDERR, $installed['err']);
    exit(1);
}
$stack->awaitDatabase();
$stack->startWeb();
echo $stack->httpPort, "\n";
while (($line = fgets(STDIN)) !== false) {
    $name = trim($line);
    if ($name !== '') {
        $stack->stop($name, SIGKILL);
    }
    match ($name) {
        'database' => $stack->startDatabase(),
        'session', 'cache' => $stack->startRedis($name),
        '' => null,
    };
    if ($name === 'database') {
        $stack->awaitDatabase();
    }
    echo "done\n";
}
