<?php

declare(strict_types=1);

namespace Storefront\Http;

use Storefront\App;
use Storefront\Checkout\Cart;
use Storefront\Unavailable;
use Storefront\View;
use Throwable;

/** From a request to a response: route, form key, controller, errors, and the personal parts of the page. */
final class Kernel
{
    private ?Session $session = null;
    private readonly View $view;

    public function __construct(public readonly App $app, public readonly Request $request)
    {
        $this->view = new View($app->config);
    }

    public function session(): Session
    {
        return $this->session ??= new Session($this->app->config, $this->request);
    }

    public function view(): View
    {
        return $this->view;
    }

    public function handle(): Response
    {
        try {
            $response = $this->dispatch();
        } catch (HttpError $error) {
            $response = $this->error($error->status, $error->getMessage());
        } catch (Unavailable $error) {
            $this->app->log->error($error->getMessage(), $error->getPrevious());
            $message = 'The shop can\'t do this just now. Please try again in a moment.';
            $response = $this->error(503, $message)->with('Retry-After', '1');
        } catch (Throwable $error) {
            $this->app->log->error('failed', $error);
            $message = 'Something went wrong on our side.';
            $response = $this->error(500, $this->app->config->developerMode ? $error->getMessage() : $message);
        }
        if ($response->hasHoles) {
            $this->fillHoles($response);
        }
        $this->session?->addCookie($response, $this->request->isSecure());
        return $response;
    }

    private function dispatch(): Response
    {
        [$class, $method, $arguments] = Routes::match($this->request);
        if ($this->request->wasTooLarge()) {
            throw new HttpError(413, 'That was more than we can take in one go.');
        }
        if ($this->request->isWrite() && !$this->isApi()) {
            $this->checkFormKey();
        }
        return (new $class($this))->$method(...$arguments);
    }

    private function checkFormKey(): void
    {
        if (!hash_equals($this->session()->formKey(), $this->request->form('form_key'))) {
            throw new HttpError(403, 'This form is too old. Please go back, reload the page and try again.');
        }
    }

    private function isApi(): bool
    {
        return str_starts_with($this->request->path, '/api/');
    }

    private function error(int $status, string $message): Response
    {
        if ($this->isApi()) {
            return Response::json(['error' => $message], $status);
        }
        $html = $this->view->page('error', ['message' => $message, 'status' => $status], "Error $status", []);
        return Response::page($html, $status);
    }

    /** Without the session cluster a page still shows, as to a stranger. */
    private function fillHoles(Response $response): void
    {
        $personal = ['customer' => null, 'count' => 0, 'isAdmin' => false];
        $formKey = '';
        try {
            $session = $this->session();
            $formKey = $session->formKey();
            $personal['count'] = (new Cart($session, $this->app->catalog()))->count();
            $personal['customer'] = $session->get('customer');
            $personal['isAdmin'] = $session->get('admin') !== null;
        } catch (Throwable $error) {
            $this->app->log->warning('page without its personal parts', $error);
        }
        $response->body = $this->view->fillHoles($response->body, [
            'form_key' => $formKey,
            'personal' => $this->view->render('_personal', $personal),
            'notice' => $this->view->notice($this->request->query('notice')),
        ]);
    }
}
