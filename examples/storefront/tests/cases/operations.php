<?php

declare(strict_types=1);

namespace Storefront\Tests;

return [
    'the command line: list, version, usage errors' => static function (Stack $stack): void {
        foreach (['setup:install', 'setup:upgrade', 'cron:run', 'admin:user:create'] as $command) {
            has($command, $stack->magento('list')['out'], 'list');
        }
        has('test-revision-7', $stack->magento('--version')['out'], 'version');
        foreach (['no:such', 'setup:install --timeout=soon', 'cache:flush --all', 'cron:run now'] as $wrong) {
            $run = $stack->magento($wrong);
            same([64, ''], [$run['code'], $run['out']], $wrong);
            expect($run['err'] !== '', "$wrong: nothing on stderr");
        }
    },

    'cache:status, cache:flush' => static function (Stack $stack): void {
        has('allkeys-lru', $stack->magento('cache:status')['out'], 'cache:status');
        $unreachable = $stack->magento('cache:flush', ['REDIS_CACHE_PORT' => '1']);
        same(1, $unreachable['code'], 'cache:flush without a cache');
        has('Redis does not answer', $unreachable['err'], 'stderr');
    },

    'indexer:reindex mends a broken index' => static function (Stack $stack): void {
        $stack->root()->exec('DELETE FROM mck_product_index WHERE product_id > 5');
        has('42 products', $stack->magento('indexer:reindex')['out'], 'indexer:reindex');
        same(42, (int) $stack->root()->query('SELECT COUNT(*) FROM mck_product_index')->fetchColumn(), 'rows');
    },

    'eight cron:run at once do each job once' => static function (Stack $stack): void {
        $stack->root()->exec('UPDATE mck_cron_schedule SET next_run_at = NOW() - INTERVAL 1 SECOND, runs = 0');
        $runs = array_map(static fn (): array => $stack->beginMagento('cron:run'), range(1, 8));
        foreach ($runs as $run) {
            $result = $stack->finish($run);
            same(0, $result['code'], 'exit code (' . $result['err'] . ')');
        }
        $counts = $stack->root()->query('SELECT DISTINCT runs FROM mck_cron_schedule')->fetchAll(\PDO::FETCH_COLUMN);
        same([1], $counts, 'runs of each job');
        $sales = $stack->root()->query('SELECT SUM(total) FROM mck_sales_daily')->fetchColumn();
        $orders = $stack->root()->query('SELECT SUM(total) FROM mck_sales_order')->fetchColumn();
        same($orders, $sales, 'daily sales');
    },

    'admin:user:create adds and resets' => static function (Stack $stack, Browser $browser): void {
        foreach (['first secret', 'second secret'] as $password) {
            same(0, $stack->magento('admin:user:create --admin-user=boss', ['ADMIN_PASSWORD' => $password])['code'], 'exit code');
        }
        $form = ['username' => 'boss', 'password' => 'second secret'];
        same('/admin', $browser->submit('/admin/login', '/admin/login', $form)->header('Location'), 'login');
        same(64, $stack->magento('admin:user:create', ['ADMIN_PASSWORD' => 'short'])['code'], 'a short password');
    },
];
