<?php

declare(strict_types=1);

use Storefront\App;
use Storefront\Http\Endpoint;
use Storefront\Http\Request;
use Storefront\Http\Response;

require __DIR__ . '/../src/autoload.php';

Endpoint::run(static fn (Request $request, App $app): Response => $app->thumbnails()->answer($request->path));
