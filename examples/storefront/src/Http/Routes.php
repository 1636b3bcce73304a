<?php

declare(strict_types=1);

namespace Storefront\Http;

use Storefront\Controller\AccountController;
use Storefront\Controller\AdminController;
use Storefront\Controller\CartController;
use Storefront\Controller\CatalogController;
use Storefront\Controller\CheckoutController;
use Storefront\Controller\DrillController;
use Storefront\Controller\ReviewController;

final class Routes
{
    private const ROUTES = [
        ['GET', '/', CatalogController::class, 'home'],
        ['GET', '/category/{slug}', CatalogController::class, 'category'],
        ['GET', '/product/{slug}', CatalogController::class, 'product'],
        ['GET', '/catalog/random', CatalogController::class, 'random'],
        ['GET', '/search', CatalogController::class, 'search'],
        ['POST', '/product/{slug}/review', ReviewController::class, 'add'],
        ['GET', '/cart', CartController::class, 'show'],
        ['POST', '/cart/add', CartController::class, 'add'],
        ['POST', '/cart/update', CartController::class, 'update'],
        ['GET', '/checkout', CheckoutController::class, 'form'],
        ['POST', '/checkout', CheckoutController::class, 'place'],
        ['GET', '/checkout/success', CheckoutController::class, 'success'],
        ['GET', '/account', AccountController::class, 'show'],
        ['GET', '/account/login', AccountController::class, 'form'],
        ['POST', '/account/login', AccountController::class, 'logIn'],
        ['POST', '/account/register', AccountController::class, 'register'],
        ['POST', '/account/logout', AccountController::class, 'logOut'],
        ['GET', '/admin', AdminController::class, 'orders'],
        ['GET', '/admin/login', AdminController::class, 'form'],
        ['POST', '/admin/login', AdminController::class, 'logIn'],
        ['POST', '/admin/logout', AdminController::class, 'logOut'],
        ['GET', '/admin/products', AdminController::class, 'products'],
        ['POST', '/admin/products/{id}', AdminController::class, 'changeProduct'],
        ['POST', '/admin/products/{id}/image', AdminController::class, 'changeImage'],
        ['POST', '/admin/cache/flush', AdminController::class, 'flushCache'],
        ['GET', '/api/whoami', DrillController::class, 'whoAmI'],
        ['POST', '/api/token', DrillController::class, 'addToken'],
        ['GET', '/api/tokens', DrillController::class, 'tokens'],
        ['GET', '/api/session', DrillController::class, 'readSession'],
        ['POST', '/api/session', DrillController::class, 'writeSession'],
        ['POST', '/api/media', DrillController::class, 'addMedia'],
    ];

    private const PLACEHOLDERS = ['{slug}' => '([a-z0-9-]+)', '{id}' => '([1-9][0-9]{0,8})'];

    /** @return array{class-string, string, list<string>} controller, method, arguments */
    public static function match(Request $request): array
    {
        $method = $request->method === 'HEAD' ? 'GET' : $request->method;
        $isKnown = false;
        foreach (self::ROUTES as [$allowed, $path, $class, $action]) {
            if (preg_match('#^' . strtr($path, self::PLACEHOLDERS) . '$#D', $request->path, $match) === 1) {
                if ($method === $allowed) {
                    return [$class, $action, array_slice($match, 1)];
                }
                $isKnown = true;
            }
        }
        throw $isKnown ? new HttpError(405, 'This can\'t be done here.') : HttpError::notFound();
    }
}
