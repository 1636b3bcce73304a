<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Checkout\Cart;
use Storefront\Http\HttpError;
use Storefront\Http\Response;

final class CartController extends Controller
{
    public function show(): Response
    {
        return $this->page('cart', 'Your cart', $this->cart()->summary());
    }

    public function add(): Response
    {
        $id = (int) $this->request->form('product_id');
        $quantity = (int) $this->request->form('qty', '1');
        if ($quantity < 1 || $quantity > Cart::MAX_QUANTITY) {
            throw new HttpError(422, 'One can buy 1 to ' . Cart::MAX_QUANTITY . ' of a kind.');
        }
        if ($this->app->catalog()->products([$id]) === []) {
            throw HttpError::notFound();
        }
        $this->cart()->add($id, $quantity);
        return $this->redirect('/cart', 'added');
    }

    public function update(): Response
    {
        $id = (int) $this->request->form('product_id');
        if (isset($this->cart()->quantities()[$id])) {
            $this->cart()->set($id, (int) $this->request->form('qty'));
        }
        return $this->redirect('/cart', 'updated');
    }

    private function cart(): Cart
    {
        return new Cart($this->session(), $this->app->catalog());
    }
}
