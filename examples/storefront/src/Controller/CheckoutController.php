<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Checkout\Cart;
use Storefront\Checkout\OutOfStock;
use Storefront\Http\HttpError;
use Storefront\Http\Response;

final class CheckoutController extends Controller
{
    public function form(): Response
    {
        if ($this->cart()->quantities() === []) {
            return $this->redirect('/cart');
        }
        return $this->answerForm('', 200);
    }

    public function place(): Response
    {
        $quantities = $this->cart()->quantities();
        if ($quantities === []) {
            return $this->redirect('/cart');
        }
        $contact = $this->contact();
        if ($contact === null) {
            return $this->answerForm('Please give an e-mail address, a name and an address.', 422);
        }
        $customer = $this->session()->get('customer')['id'] ?? null;
        $quoteId = $this->session()->get('quote_id');
        try {
            $orderId = $this->app->orders()->place($quoteId, $customer, $contact, $quantities);
        } catch (OutOfStock $error) {
            return $this->answerForm($error->getMessage() . ' is not in stock in this quantity any more.', 409);
        }
        $this->session()->update(static function (array $data) use ($quoteId, $orderId): array {
            // What was put into the cart while the order was placed stays there.
            if (($data['quote_id'] ?? null) === $quoteId) {
                unset($data['cart'], $data['quote_id']);
            }
            return ['last_order' => $orderId] + $data;
        });
        return $this->redirect('/checkout/success');
    }

    public function success(): Response
    {
        $order = $this->app->orders()->find((int) $this->session()->get('last_order', 0)) ?? throw HttpError::notFound();
        return $this->page('success', 'Thank you', ['order' => $order]);
    }

    /** @return array{email: string, name: string, address: string}|null */
    private function contact(): ?array
    {
        $contact = [
            'email' => mb_substr($this->request->form('email'), 0, 120),
            'name' => mb_substr($this->request->form('name'), 0, 60),
            'address' => mb_substr($this->request->form('address'), 0, 255),
        ];
        $isComplete = filter_var($contact['email'], FILTER_VALIDATE_EMAIL) !== false && !in_array('', $contact, true);
        return $isComplete ? $contact : null;
    }

    private function answerForm(string $problem, int $status): Response
    {
        return $this->page('checkout', 'Checkout', $this->cart()->summary() + [
            'problem' => $problem,
            'email' => $this->request->form('email', $this->session()->get('customer')['email'] ?? ''),
            'name' => $this->request->form('name', $this->session()->get('customer')['name'] ?? ''),
            'address' => $this->request->form('address'),
        ], $status);
    }

    private function cart(): Cart
    {
        return new Cart($this->session(), $this->app->catalog());
    }
}
