<?php

declare(strict_types=1);

namespace Storefront\Http;

use Storefront\App;
use Storefront\Log;
use Throwable;

/** What every entry point does around its own work: request id, error log, and an answer whatever happens. */
final class Endpoint
{
    /** @param callable(Request, App): Response $work */
    public static function run(callable $work): void
    {
        error_reporting(E_ALL);
        ini_set('display_errors', '0');
        ini_set('log_errors', '0');
        // A resolver that does not answer must not cost more than the connections it is asked for.
        if (getenv('RES_OPTIONS') === false) {
            putenv('RES_OPTIONS=timeout:1 attempts:2');
        }
        $request = Request::fromGlobals();
        $log = new Log($request->id);
        self::logErrors($log);
        try {
            $response = $work($request, new App($log));
        } catch (Throwable $error) {
            $log->error('unhandled', $error);
            $response = Response::file("Something went wrong on our side.\n", 'text/plain', 500, 'no-store');
        }
        $response->with('X-Request-Id', $request->id)->send(withBody: $request->method !== 'HEAD');
    }

    private static function logErrors(Log $log): void
    {
        set_error_handler(static function (int $level, string $message, string $file, int $line) use ($log): bool {
            if ((error_reporting() & $level) !== 0) {
                $log->warning($message . ' at ' . basename($file) . ':' . $line);
            }
            return true;
        });
        register_shutdown_function(static function () use ($log): void {
            $error = error_get_last();
            if ($error !== null && ($error['type'] & (E_ERROR | E_CORE_ERROR | E_COMPILE_ERROR | E_PARSE)) !== 0) {
                $log->error($error['message'] . ' at ' . basename($error['file']) . ':' . $error['line']);
            }
        });
    }
}
