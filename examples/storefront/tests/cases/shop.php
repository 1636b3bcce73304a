<?php

declare(strict_types=1);

namespace Storefront\Tests;

use CURLStringFile;

$address = ['email' => 'ada@example.org', 'name' => 'Ada <b>', 'address' => '1 Example Way'];

return [
    'from cart to order; the stock follows, a second submit changes nothing' => static function (Stack $stack, Browser $browser) use ($address): void {
        $stock = static fn (): int => (int) $stack->root()->query('SELECT qty FROM mck_stock WHERE product_id = 8')->fetchColumn();
        $before = $stock();
        $added = $browser->submit('/product/dot-grid-notebook', '/cart/add', ['product_id' => 8, 'qty' => 2]);
        same([303, '/cart?notice=added'], [$added->status, $added->header('Location')], 'add to cart');
        has('$32.00', $browser->get('/cart')->body, 'cart');
        $browser->submit('/cart', '/cart/update', ['product_id' => 8, 'qty' => 3]);
        $form = ['form_key' => $browser->formKey('/checkout')] + $address;
        $same = [$browser->prepare('POST', '/checkout', $form), $browser->prepare('POST', '/checkout', $form)];
        foreach (Browser::all($same) as $reply) {
            same([303, true], [$reply->status, in_array($reply->header('Location'), ['/checkout/success', '/cart'], true)], 'checkout');
        }
        same($before - 3, $stock(), 'stock after two submits of one cart');
        $success = $browser->get('/checkout/success')->body;
        has('$48.00', $success, 'order');
        has('Ada &lt;b&gt;', $success, 'name');
        same('/cart', $browser->get('/checkout')->header('Location'), 'checkout with an empty cart');
    },

    'forms without a right key are refused' => static function (Stack $stack, Browser $browser): void {
        same(403, $browser->post('/cart/add', ['product_id' => 1])->status, 'no key');
        $stranger = new Browser($stack->httpPort);
        same(403, $browser->post('/cart/add', ['product_id' => 1, 'form_key' => $stranger->formKey('/account/login')])->status, 'key of another');
    },

    'what makes no sense is refused' => static function (Stack $stack, Browser $browser) use ($address): void {
        same(422, $browser->submit('/account/login', '/cart/add', ['product_id' => 1, 'qty' => -1])->status, 'negative quantity');
        same(404, $browser->submit('/account/login', '/cart/add', ['product_id' => 999])->status, 'unknown product');
        $browser->submit('/account/login', '/cart/add', ['product_id' => 1]);
        same(422, $browser->submit('/checkout', '/checkout', ['email' => 'no'] + $address)->status, 'no e-mail address');
    },

    'customers register, log out, log in, see their orders' => static function (Stack $stack, Browser $browser) use ($address): void {
        $browser->submit('/product/brass-pen', '/cart/add', ['product_id' => 9]);
        $anonymous = $browser->cookies['storefront_session'];
        $form = ['email' => 'Grace@example.org', 'name' => 'Grace', 'password' => 'correct horse'];
        same('/account?notice=welcome', $browser->submit('/account/login', '/account/register', $form)->header('Location'), 'register');
        expect($browser->cookies['storefront_session'] !== $anonymous, 'the session id survived the login');
        has('Brass Pen', $browser->get('/cart')->body, 'the cart survived the login');
        $browser->submit('/checkout', '/checkout', $address);
        has('1 × Brass Pen', $browser->get('/account')->body, 'account');
        has('Grace', $browser->get('/')->body, 'name on a cached page');
        $browser->submit('/account', '/account/logout', []);
        same('/account/login', $browser->get('/account')->header('Location'), 'account after logout');
        same(422, $browser->submit('/account/login', '/account/login', ['email' => 'grace@example.org', 'password' => 'wrong'])->status, 'wrong');
        same(422, $browser->submit('/account/login', '/account/register', $form)->status, 'the same address again');
        $login = ['email' => 'grace@example.org', 'password' => 'correct horse'];
        same('/account?notice=welcome', $browser->submit('/account/login', '/account/login', $login)->header('Location'), 'login');
        has('1 × Brass Pen', $browser->get('/account')->body, 'account');
    },

    'guessing passwords is slowed down' => static function (Stack $stack, Browser $browser): void {
        $form = ['form_key' => $browser->formKey('/account/login'), 'email' => 'guess@example.org', 'password' => 'guess'];
        $guesses = array_map(static fn (): array => $browser->prepare('POST', '/account/login', $form), range(1, 24));
        $statuses = array_count_values(array_map(static fn (Reply $reply): int => $reply->status, Browser::all($guesses)));
        expect(($statuses[429] ?? 0) > 0, 'nobody was stopped: ' . json_encode($statuses));
    },

    'a review with a picture shows at once; a picture that is none is refused' => static function (Stack $stack, Browser $browser): void {
        $browser->get('/product/salt-cellar');
        $image = imagecreatetruecolor(300, 200);
        ob_start();
        imagejpeg($image);
        $picture = new CURLStringFile(ob_get_clean() . '<?php echo "hidden";', 'evil.php', 'text/html');
        $review = ['rating' => '4', 'author' => 'Linus', 'body' => "Good <i>salt</i><!--hole:form_key-->", 'image' => $picture];
        $reply = $browser->submit('/product/salt-cellar', '/product/salt-cellar/review', $review);
        same('/product/salt-cellar?notice=reviewed', $reply->header('Location'), 'review');
        $page = $browser->get('/product/salt-cellar')->body;
        has('Good &lt;i&gt;salt&lt;/i&gt;&lt;!--hole:form_key--&gt;', $page, 'review text');
        expect(preg_match('#/media/(review/[0-9a-f]{40}\.jpg)#', $page, $match) === 1, 'no picture on the page');
        $stored = (string) file_get_contents("$stack->folder/shared/media/$match[1]");
        expect(!str_contains($stored, '<?php'), 'the picture was not encoded anew');
        same(200, $browser->get("/media/cache/120x120/$match[1]")->status, 'thumbnail of the picture');
        $fake = ['image' => new CURLStringFile('GIF89a<?php', 'a.jpg', 'image/jpeg')] + $review;
        same(422, $browser->submit('/product/salt-cellar', '/product/salt-cellar/review', $fake)->status, 'no picture');
        $huge = ['image' => new CURLStringFile(random_bytes(2_050_000), 'a.jpg', 'image/jpeg')] + $review;
        same(413, $browser->submit('/product/salt-cellar', '/product/salt-cellar/review', $huge)->status, 'too large');
    },
];
