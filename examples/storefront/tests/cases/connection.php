<?php

declare(strict_types=1);

namespace Storefront\Tests;

use Storefront\App;
use Storefront\Catalog\Catalog;
use Storefront\Config;
use Storefront\Database\Connection;
use Storefront\Database\OutcomeUnknown;
use Storefront\Log;
use Storefront\Unavailable;

$connect = static function (Stack $stack): Connection {
    foreach ($stack->environment as $name => $value) {
        putenv("$name=$value");
    }
    return new Connection(Config::fromEnvironment(), new Log('', '/dev/null'), '127.0.0.1', 2, 10);
};
$kill = static fn (Stack $stack, int $id) => $stack->root()->exec("KILL HARD CONNECTION $id");
$tokens = static fn (Stack $stack, string $token): int
    => (int) $stack->root()->query("SELECT COUNT(*) FROM mck_drill_token WHERE token = '$token'")->fetchColumn();

$replica = static function (Stack $stack, string $writer, string $reader): array {
    foreach (['MYSQL_HOST' => $writer, 'MYSQL_READER_HOST' => $reader] + $stack->environment as $name => $value) {
        putenv("$name=$value");
    }
    return (new App(new Log('', '/dev/null')))->withReplicaCatalog(static fn (Catalog $catalog): array => $catalog->search('lantern'));
};

return [
    'searches read the replica, or the writer when there is none or it is gone' => static function (Stack $stack) use ($replica): void {
        // The database listens on 127.0.0.1 and nowhere else.
        foreach ([['127.0.0.2', '127.0.0.1'], ['127.0.0.1', '127.0.0.2'], ['127.0.0.1', '']] as [$writer, $reader]) {
            same('Storm Lantern', $replica($stack, $writer, $reader)[0]['name'], "writer $writer, replica $reader");
        }
        try {
            $replica($stack, '127.0.0.2', '127.0.0.3');
            throw new \RuntimeException('found without a database');
        } catch (Unavailable) {
            putenv('MYSQL_READER_HOST=');
        }
    },

    'a read on a lost connection is repeated on a new one' => static function (Stack $stack) use ($connect, $kill): void {
        $db = $connect($stack);
        $id = $db->fetchValue('SELECT CONNECTION_ID()');
        $kill($stack, $id);
        expect(@$db->fetchValue('SELECT CONNECTION_ID()') !== $id, 'still the old connection');
    },

    'a write that was lost before COMMIT is repeated, and happens once' => static function (Stack $stack) use ($connect, $kill, $tokens): void {
        $db = $connect($stack);
        $runs = 0;
        @$db->transaction(static function (Connection $db) use ($stack, $kill, &$runs): void {
            $db->execute("INSERT INTO {drill_token} (token) VALUES ('lost-before')");
            if (++$runs === 1) {
                $kill($stack, $db->fetchValue('SELECT CONNECTION_ID()'));
                $db->execute("INSERT INTO {drill_token} (token) VALUES ('never')");
            }
        });
        same([2, 1, 0], [$runs, $tokens($stack, 'lost-before'), $tokens($stack, 'never')], 'runs and rows');
    },

    'a write whose COMMIT got no answer is not repeated' => static function (Stack $stack) use ($connect, $kill): void {
        $db = $connect($stack);
        $runs = 0;
        try {
            @$db->transaction(static function (Connection $db) use ($stack, $kill, &$runs): void {
                $runs++;
                $db->execute("INSERT INTO {drill_token} (token) VALUES ('lost-at-commit')");
                $kill($stack, $db->fetchValue('SELECT CONNECTION_ID()'));
            });
            throw new \RuntimeException('it claims to be committed');
        } catch (OutcomeUnknown) {
            same(1, $runs, 'runs');
        }
    },

    'a lost connection ends the work under a named lock' => static function (Stack $stack) use ($connect, $kill): void {
        $db = $connect($stack);
        try {
            @$db->withLock('test', 1, static function () use ($db, $stack, $kill): void {
                $kill($stack, $db->fetchValue('SELECT CONNECTION_ID()'));
                $db->fetchValue('SELECT 1');
            });
            throw new \RuntimeException('it went on without its lock');
        } catch (Unavailable) {
            same(1, $connect($stack)->withLock('test', 3, static fn (): int => 1), 'the lock is free again');
        }
    },
];
