<?php

declare(strict_types=1);

use Storefront\App;
use Storefront\Http\Endpoint;
use Storefront\Http\Request;
use Storefront\Http\Response;

if (isset($_GET['liveness'])) {
    header('Content-Type: application/json');
    header('Cache-Control: no-store');
    echo '{"status":"ok"}', "\n";
    return;
}

require __DIR__ . '/../src/autoload.php';

Endpoint::run(static function (Request $request, App $app): Response {
    $result = $app->healthCheck()->run();
    return Response::json($result, $result['status'] === 'ok' ? 200 : 503);
});
