<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Http\HttpError;
use Storefront\Http\Response;
use Storefront\Media\ImageUpload;

final class ReviewController extends Controller
{
    public function add(string $slug): Response
    {
        $product = $this->app->catalog()->product($slug) ?? throw HttpError::notFound();
        $rating = (int) $this->request->form('rating');
        $body = $this->request->form('body');
        $author = $this->session()->get('customer')['name'] ?? mb_substr($this->request->form('author'), 0, 60);
        if ($rating < 1 || $rating > 5 || $author === '' || $body === '' || mb_strlen($body) > 2000) {
            throw new HttpError(422, 'A review needs your name, one to five stars and some words (at most 2000 letters).');
        }
        $this->app->catalogAdmin()->addReview($product['id'], [
            'author' => $author,
            'rating' => $rating,
            'body' => $body,
            'image' => $this->storeImage(),
        ]);
        return $this->redirect("/product/$slug", 'reviewed');
    }

    private function storeImage(): ?string
    {
        $file = $this->request->file('image');
        if ($file === null) {
            return null;
        }
        $upload = ImageUpload::fromFile($file);
        return $this->app->media()->storeByContent('review', $upload->encode(), $upload->extension);
    }
}
