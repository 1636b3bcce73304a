<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\Catalog\Catalog;
use Storefront\Http\HttpError;
use Storefront\Http\Response;

final class CatalogController extends Controller
{
    private const FEATURED = 8;
    private const RELATED = 4;

    public function home(): Response
    {
        return $this->app->pageCache()->serve($this->request, [], ['categories', 'home'], function (): string {
            $catalog = $this->app->catalog();
            return $this->html('home', 'Harbour Goods', [
                'categories' => $catalog->categories(),
                'products' => $catalog->bestSelling(self::FEATURED),
            ]);
        });
    }

    public function category(string $slug): Response
    {
        $page = max(1, min(1000, (int) $this->request->query('p', '1')));
        $tags = ['categories', "category:$slug"];
        return $this->app->pageCache()->serve($this->request, ['p' => $page], $tags, function () use ($slug, $page): string {
            $catalog = $this->app->catalog();
            $category = $catalog->category($slug) ?? throw HttpError::notFound();
            $pages = max(1, (int) ceil($category['product_count'] / Catalog::PAGE_SIZE));
            if ($page > $pages) {
                throw HttpError::notFound();
            }
            return $this->html('category', $category['name'], [
                'category' => $category,
                'products' => $catalog->inCategory($category['id'], $page),
                'page' => $page,
                'pages' => $pages,
            ]);
        });
    }

    public function product(string $slug): Response
    {
        return $this->app->pageCache()->serve($this->request, [], ['categories', "product:$slug"], function () use ($slug): string {
            $catalog = $this->app->catalog();
            return $this->productHtml($catalog, $catalog->product($slug) ?? throw HttpError::notFound());
        });
    }

    /** Some product's page, always made from the database: for benchmarks that should not measure the cache. */
    public function random(): Response
    {
        $html = $this->app->withReplicaCatalog(function (Catalog $catalog): string {
            return $this->productHtml($catalog, $catalog->randomProduct() ?? throw HttpError::notFound());
        });
        return Response::page($html)->with('Cache-Control', 'no-store');
    }

    public function search(): Response
    {
        $words = trim(mb_substr($this->request->query('q'), 0, 80));
        $products = $this->app->withReplicaCatalog(static fn (Catalog $catalog): array => $catalog->search($words));
        return $this->page('search', 'Search', ['words' => $words, 'products' => $products]);
    }

    private function productHtml(Catalog $catalog, array $product): string
    {
        return $this->html('product', $product['name'], [
            'product' => $product,
            'reviews' => $this->app->catalogAdmin()->reviews($product['id']),
            'related' => $catalog->related($product, self::RELATED),
        ]);
    }
}
