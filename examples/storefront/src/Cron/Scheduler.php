<?php

declare(strict_types=1);

namespace Storefront\Cron;

use Storefront\Catalog\Indexer;
use Storefront\Database\Connection;
use Storefront\Media\MediaStorage;

/**
 * Jobs with a period. A job's work and its next due time are committed together while its row is locked, so however
 * many tasks run this at once, each period's work is done exactly once.
 */
final readonly class Scheduler
{
    /** Seconds between runs. */
    private const PERIODS = [
        'refresh_index' => 300,
        'aggregate_sales' => 300,
        'expire_drill_tokens' => 3600,
        'expire_drill_media' => 3600,
    ];
    private const DRILL_MEDIA_AGE = 86_400;

    public function __construct(private Connection $db, private Indexer $indexer, private MediaStorage $media)
    {
    }

    public function register(Connection $db): void
    {
        $db->transaction(static function (Connection $db): void {
            foreach (array_keys(self::PERIODS) as $job) {
                $db->execute('INSERT IGNORE INTO {cron_schedule} (job) VALUES (?)', [$job]);
            }
        });
    }

    /** @return array<string, string> result by the name of each job that was due */
    public function runDue(): array
    {
        $results = [];
        foreach (self::PERIODS as $job => $period) {
            $result = $this->db->transaction(fn (Connection $db): ?string => $this->runIfDue($db, $job, $period));
            if ($result !== null) {
                $results[$job] = $result;
            }
        }
        return $results;
    }

    private function runIfDue(Connection $db, string $job, int $period): ?string
    {
        $isOurs = $db->fetchValue('SELECT 1 FROM {cron_schedule}
            WHERE job = ? AND next_run_at <= CURRENT_TIMESTAMP FOR UPDATE SKIP LOCKED', [$job]);
        if ($isOurs === null) {
            return null;
        }
        $result = match ($job) {
            'refresh_index' => $this->indexer->rebuild($db) . ' products',
            'aggregate_sales' => $this->aggregateSales($db) . ' days',
            'expire_drill_tokens' => $db->execute('DELETE FROM {drill_token}
                WHERE created_at < CURRENT_TIMESTAMP - INTERVAL 7 DAY LIMIT 10000') . ' tokens',
            'expire_drill_media' => $this->media->expire('drill', self::DRILL_MEDIA_AGE) . ' files',
        };
        $db->execute('UPDATE {cron_schedule} SET last_run_at = CURRENT_TIMESTAMP, runs = runs + 1,
            next_run_at = CURRENT_TIMESTAMP + INTERVAL ? SECOND WHERE job = ?', [$period, $job]);
        return $result;
    }

    /** Yesterday is done again, for the orders since its last run. */
    private function aggregateSales(Connection $db): int
    {
        $db->execute('DELETE FROM {sales_daily} WHERE day >= CURRENT_DATE - INTERVAL 1 DAY');
        return $db->execute('INSERT INTO {sales_daily} (day, orders, items, total)
            SELECT DATE(o.created_at), COUNT(*), SUM((SELECT SUM(qty) FROM {sales_order_item} i WHERE i.order_id = o.id)),
                SUM(o.total)
            FROM {sales_order} o WHERE o.created_at >= CURRENT_DATE - INTERVAL 1 DAY GROUP BY DATE(o.created_at)');
    }
}
