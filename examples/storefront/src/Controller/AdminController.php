<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Http\HttpError;
use Storefront\Http\Response;
use Storefront\Media\ImageUpload;

final class AdminController extends Controller
{
    private const MAX_PRICE = 10_000_000;
    private const MAX_STOCK = 1_000_000;

    public function form(): Response
    {
        return $this->page('admin/login', 'Administration', ['problem' => '']);
    }

    public function logIn(): Response
    {
        $admin = $this->app->accounts()->logInAdmin($this->request->form('username'), $this->request->form('password'));
        if ($admin === null) {
            return $this->page('admin/login', 'Administration', ['problem' => 'Name or password is not right.'], 422);
        }
        $this->session()->regenerate(static fn (array $data): array => ['admin' => $admin] + $data);
        return $this->redirect('/admin');
    }

    public function logOut(): Response
    {
        $this->session()->regenerate(static fn (array $data): array => array_diff_key($data, ['admin' => 0]));
        return $this->redirect('/', 'goodbye');
    }

    public function orders(): Response
    {
        return $this->forAdmin(fn (): Response => $this->page('admin/orders', 'Orders', [
            'orders' => $this->app->orders()->latest(),
            'days' => $this->app->orders()->dailySales(),
        ]));
    }

    public function products(): Response
    {
        return $this->forAdmin(fn (): Response => $this->page('admin/products', 'Products', [
            'products' => $this->app->catalogAdmin()->all(),
        ]));
    }

    public function changeProduct(string $id): Response
    {
        return $this->forAdmin(function () use ($id): Response {
            $price = (int) round(100 * (float) $this->request->form('price'));
            $stock = (int) $this->request->form('qty');
            if ($price < 1 || $price > self::MAX_PRICE || $stock < 0 || $stock > self::MAX_STOCK) {
                throw new HttpError(422, 'This price or stock is out of range.');
            }
            $difference = $stock - (int) $this->request->form('qty_shown');
            $isDone = $this->app->catalogAdmin()->change((int) $id, $price, $difference);
            return $this->redirect('/admin/products', $isDone ? 'saved' : 'conflict');
        });
    }

    public function changeImage(string $id): Response
    {
        return $this->forAdmin(function () use ($id): Response {
            $file = $this->request->file('image') ?? throw new HttpError(422, 'Please choose an image.');
            $upload = ImageUpload::fromFile($file);
            $name = $this->app->media()->storeByContent('catalog', $upload->encode(), $upload->extension);
            $this->app->catalogAdmin()->changeImage((int) $id, $name);
            return $this->redirect('/admin/products', 'saved');
        });
    }

    public function flushCache(): Response
    {
        return $this->forAdmin(fn (): Response => $this->redirect(
            '/admin',
            $this->app->cache()->flush() ? 'flushed' : 'not-flushed',
        ));
    }

    private function forAdmin(callable $work): Response
    {
        return $this->session()->get('admin') === null ? $this->redirect('/admin/login') : $work();
    }
}
