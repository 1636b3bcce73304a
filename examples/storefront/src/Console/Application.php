<?php

declare(strict_types=1);

namespace Storefront\Console;

use Storefront\App;
use Storefront\Log;
use Throwable;

/** The command line: finds the command, prints its errors on stderr, and turns them into exit codes. */
final class Application
{
    public const SUCCESS = 0;
    public const FAILURE = 1;
    public const UPGRADE_NEEDED = 2;
    public const USAGE = 64;

    /** Seconds that one statement may take: waiting for the setup lock, or a migration of a large table. */
    private const STATEMENT_TIMEOUT = 3600;

    /** @param list<string> $arguments as in $argv */
    public static function main(array $arguments): int
    {
        error_reporting(E_ALL);
        ini_set('display_errors', 'stderr');
        try {
            $app = new App(new Log('cli-' . getmypid()), self::STATEMENT_TIMEOUT);
            return (new self(new Commands($app)))->run(array_slice($arguments, 1));
        } catch (UsageError $error) {
            fwrite(STDERR, $error->getMessage() . "\nhint: `bin/magento list` shows all commands\n");
            return self::USAGE;
        } catch (Throwable $error) {
            fwrite(STDERR, 'error: ' . $error->getMessage() . "\n");
            for ($cause = $error->getPrevious(); $cause !== null; $cause = $cause->getPrevious()) {
                fwrite(STDERR, 'caused by: ' . $cause->getMessage() . "\n");
            }
            return self::FAILURE;
        }
    }

    private function __construct(private readonly Commands $commands)
    {
    }

    /** @param list<string> $arguments */
    private function run(array $arguments): int
    {
        $command = array_shift($arguments) ?? 'list';
        if (in_array($command, ['--version', '-V'], true)) {
            return $this->commands->version();
        }
        $all = $this->commands->all();
        if (in_array($command, ['list', '--help', '-h'], true)) {
            return $this->list($all);
        }
        [$method] = $all[$command] ?? throw new UsageError("There is no command \"$command\".");
        return $this->commands->$method($this->options($arguments));
    }

    /** @param array<string, array{string, string}> $all */
    private function list(array $all): int
    {
        echo "Storefront command line\n\nUsage: bin/magento COMMAND [--option=value]\n\n";
        foreach ($all as $name => [, $description]) {
            printf("  %-20s %s\n", $name, $description);
        }
        return self::SUCCESS;
    }

    /** @param list<string> $arguments @return array<string, string> */
    private function options(array $arguments): array
    {
        $options = [];
        foreach ($arguments as $argument) {
            if (preg_match('/^--([a-z-]+)(?:=(.*))?$/s', $argument, $match) !== 1) {
                throw new UsageError("Unexpected argument \"$argument\".");
            }
            $options[$match[1]] = $match[2] ?? '';
        }
        return $options;
    }
}
