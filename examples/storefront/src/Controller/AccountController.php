<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Customer\Accounts;
use Storefront\Http\Response;

final class AccountController extends Controller
{
    public function show(): Response
    {
        $customer = $this->session()->get('customer');
        if ($customer === null) {
            return $this->redirect('/account/login');
        }
        $orders = $this->app->orders()->ofCustomer($customer['id']);
        return $this->page('account', 'Your account', ['customer' => $customer, 'orders' => $orders]);
    }

    public function form(): Response
    {
        return $this->answerForm('', 200);
    }

    public function logIn(): Response
    {
        $email = $this->request->form('email');
        $customer = $this->app->accounts()->logInCustomer($email, $this->request->form('password'));
        if ($customer === null) {
            return $this->answerForm('E-mail address or password is not right.', 422);
        }
        return $this->welcome($customer + ['email' => $email]);
    }

    public function register(): Response
    {
        $email = mb_substr($this->request->form('email'), 0, 120);
        $name = mb_substr($this->request->form('name'), 0, 60);
        $password = $this->request->form('password');
        if (filter_var($email, FILTER_VALIDATE_EMAIL) === false || $name === '') {
            return $this->answerForm('Please give an e-mail address and a name.', 422);
        }
        if (strlen($password) < Accounts::MIN_PASSWORD) {
            return $this->answerForm('The password needs at least ' . Accounts::MIN_PASSWORD . ' characters.', 422);
        }
        $id = $this->app->accounts()->register($email, $name, $password);
        if ($id === null) {
            return $this->answerForm('There is an account with this e-mail address already.', 422);
        }
        return $this->welcome(['id' => $id, 'name' => $name, 'email' => $email]);
    }

    public function logOut(): Response
    {
        $this->session()->regenerate(static fn (array $data): array => array_diff_key($data, [
            'customer' => 0, 'last_order' => 0, 'cart' => 0, 'quote_id' => 0,
        ]));
        return $this->redirect('/', 'goodbye');
    }

    /** @param array{id: int, name: string, email: string} $customer */
    private function welcome(array $customer): Response
    {
        $this->session()->regenerate(static fn (array $data): array => ['customer' => $customer] + $data);
        return $this->redirect('/account', 'welcome');
    }

    private function answerForm(string $problem, int $status): Response
    {
        return $this->page('login', 'Sign in', [
            'problem' => $problem,
            'email' => $this->request->form('email'),
            'name' => $this->request->form('name'),
        ], $status);
    }
}
