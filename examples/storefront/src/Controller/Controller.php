<?php

declare(strict_types=1);

namespace Storefront\Controller;

use Storefront\App;
use Storefront\Http\Kernel;
use Storefront\Http\Request;
use Storefront\Http\Response;
use Storefront\Http\Session;

abstract class Controller
{
    protected readonly App $app;
    protected readonly Request $request;

    public function __construct(private readonly Kernel $kernel)
    {
        $this->app = $kernel->app;
        $this->request = $kernel->request;
    }

    protected function session(): Session
    {
        return $this->kernel->session();
    }

    protected function html(string $template, string $title, array $data): string
    {
        return $this->kernel->view()->page($template, $data, $title, $this->app->catalog()->categories());
    }

    protected function page(string $template, string $title, array $data, int $status = 200): Response
    {
        return Response::page($this->html($template, $title, $data), $status)->with('Cache-Control', 'no-store');
    }

    protected function redirect(string $path, string $notice = ''): Response
    {
        $query = $notice === '' ? '' : '?notice=' . $notice;
        return Response::redirect($this->kernel->view()->url($path) . $query);
    }
}
