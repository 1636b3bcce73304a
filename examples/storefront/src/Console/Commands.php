<?php

declare(strict_types=1);

namespace Storefront\Console;

use RuntimeException;
use Storefront\App;
use Storefront\Customer\Accounts;

/** What each command does. @phpstan-type Options array<string, string> */
final readonly class Commands
{
    private const DATABASE_TIMEOUT = 60;

    public function __construct(private App $app)
    {
    }

    /** @return array<string, array{string, string}> method and description by name */
    public function all(): array
    {
        return [
            'setup:install' => ['install', 'Create schema, goods, pictures and administrator [--timeout=SECONDS]'],
            'setup:upgrade' => ['upgrade', 'Apply the migrations that are pending [--timeout=SECONDS]'],
            'setup:db:status' => ['databaseStatus', 'Compare schema and release; exits with 2 when an upgrade is needed'],
            'cache:flush' => ['flushCache', 'Forget every cached page and object'],
            'cache:status' => ['cacheStatus', 'Show whether the cache answers and what it holds'],
            'indexer:reindex' => ['reindex', 'Rebuild the product index'],
            'cron:run' => ['cron', 'Run the jobs that are due'],
            'admin:user:create' => ['createAdmin', 'Create an administrator, or set a new password: --admin-user=NAME,'
                . ' the password comes in by ADMIN_PASSWORD'],
        ];
    }

    public function version(): int
    {
        $revision = $this->app->config->revision;
        echo 'Storefront 1.0' . ($revision === '' ? '' : " (revision $revision)") . "\n";
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function install(array $options): int
    {
        $timeout = $this->timeout($options);
        $installer = $this->app->installer();
        $pictures = $installer->placeImages();
        $installer->waitForDatabase($timeout);
        $applied = $installer->install();
        $this->app->cache()->flush();
        echo $this->summary($applied), $pictures > 0 ? "Placed $pictures pictures.\n" : '', "The shop is installed.\n";
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function upgrade(array $options): int
    {
        $installer = $this->app->installer();
        $installer->waitForDatabase($this->timeout($options));
        $applied = $installer->upgrade();
        if ($applied !== []) {
            $this->app->cache()->flush();
        }
        echo $this->summary($applied);
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function databaseStatus(array $options): int
    {
        $this->expect($options, []);
        $required = $this->app->schema()->requiredVersion();
        $installed = $this->app->schema()->installedVersion($this->app->db());
        if ($installed < $required) {
            echo "The schema has version $installed, this release needs $required. Run setup:upgrade.\n";
            return Application::UPGRADE_NEEDED;
        }
        echo "The schema is up to date (version $installed).\n";
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function flushCache(array $options): int
    {
        $this->expect($options, []);
        if (!$this->app->cache()->flush()) {
            throw new RuntimeException('The cache could not be flushed: Redis does not answer.');
        }
        echo "The cache is flushed.\n";
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function cacheStatus(array $options): int
    {
        $this->expect($options, []);
        $statistics = $this->app->cache()->statistics()
            ?? throw new RuntimeException('Redis does not answer; the shop runs without a cache.');
        foreach ($statistics as $name => $value) {
            printf("%-8s %s\n", $name, $value);
        }
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function reindex(array $options): int
    {
        $this->expect($options, []);
        $start = hrtime(true);
        $count = $this->app->indexer()->rebuild($this->app->db());
        $this->app->cache()->flush();
        printf("Indexed %d products in %.1f ms.\n", $count, (hrtime(true) - $start) / 1e6);
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function cron(array $options): int
    {
        $this->expect($options, []);
        foreach ($this->app->scheduler()->runDue() as $job => $result) {
            echo "$job: $result\n";
        }
        return Application::SUCCESS;
    }

    /** @param Options $options */
    public function createAdmin(array $options): int
    {
        $this->expect($options, ['admin-user']);
        $name = $options['admin-user'] ?? $this->app->config->adminUser;
        $password = $this->app->config->adminPassword;
        if ($name === '' || strlen($name) > 60 || strlen($password) < Accounts::MIN_PASSWORD) {
            throw new UsageError('An administrator needs a name, and a password of at least '
                . Accounts::MIN_PASSWORD . ' characters in ADMIN_PASSWORD.');
        }
        $this->app->accounts()->setAdmin($name, $password);
        echo "Administrator \"$name\" can log in with the password of ADMIN_PASSWORD.\n";
        return Application::SUCCESS;
    }

    /** @param list<string> $applied */
    private function summary(array $applied): string
    {
        return $applied === [] ? "The schema was up to date.\n" : 'Applied ' . implode(', ', $applied) . ".\n";
    }

    /** @param Options $options */
    private function timeout(array $options): int
    {
        $this->expect($options, ['timeout']);
        $timeout = $options['timeout'] ?? (string) self::DATABASE_TIMEOUT;
        if (!ctype_digit($timeout) || (int) $timeout > 3600) {
            throw new UsageError('--timeout wants whole seconds, from 0 to 3600.');
        }
        return (int) $timeout;
    }

    /** @param Options $options @param list<string> $known */
    private function expect(array $options, array $known): void
    {
        foreach (array_diff(array_keys($options), $known) as $unknown) {
            throw new UsageError("There is no option \"--$unknown\".");
        }
    }
}
