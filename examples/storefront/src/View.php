<?php

declare(strict_types=1);

namespace Storefront;

use Storefront\Media\Thumbnails;

/**
 * Renders the templates. They see their data, and the helpers $e (escape), $url, $money and $image.
 *
 * Pages carry holes for what is personal. A hole is an HTML comment, which escaped text can't imitate.
 */
final readonly class View
{
    private const NOTICES = [
        'added' => 'It is in your cart.',
        'updated' => 'Your cart is up to date.',
        'welcome' => 'Welcome! You are signed in.',
        'goodbye' => 'You are signed out.',
        'reviewed' => 'Thank you for your review.',
        'saved' => 'Saved.',
        'conflict' => 'Not saved: the stock would have fallen below zero.',
        'flushed' => 'The cache is flushed.',
        'not-flushed' => 'The cache could not be flushed: Redis does not answer.',
    ];

    public function __construct(private Config $config)
    {
    }

    /** @param list<array<string, mixed>> $categories for the navigation */
    public function page(string $template, array $data, string $title, array $categories): string
    {
        return $this->render('layout', [
            'content' => $this->render($template, $data),
            'title' => $title,
            'categories' => $categories,
            'revision' => $this->config->revision,
        ]);
    }

    public function render(string $template, array $data): string
    {
        $data += [
            'e' => self::escape(...),
            'url' => $this->url(...),
            'money' => static fn (int $cents): string => '$' . number_format($cents / 100, 2),
            'image' => fn (string $image, string $size): string => $this->url(Thumbnails::url($image, $size)),
            'include' => $this->render(...),
        ];
        return (static function (string $__file, array $__data): string {
            extract($__data);
            ob_start();
            try {
                require $__file;
            } finally {
                $output = (string) ob_get_clean();
            }
            return $output;
        })("{$this->config->root}/templates/$template.phtml", $data);
    }

    /** @param array<string, string> $holes HTML by the name of the hole */
    public function fillHoles(string $html, array $holes): string
    {
        $replacements = [];
        foreach ($holes as $name => $content) {
            $replacements["<!--hole:$name-->"] = $content;
        }
        // The first pass may bring in holes of its own: the personal part holds a form.
        return strtr(strtr($html, $replacements), $replacements);
    }

    public function notice(string $code): string
    {
        $text = self::NOTICES[$code] ?? '';
        return $text === '' ? '' : '<p class="notice" role="status">' . self::escape($text) . '</p>';
    }

    public function url(string $path): string
    {
        return $this->config->baseUrl . $path;
    }

    public static function escape(string|int|float|null $text): string
    {
        return htmlspecialchars((string) $text, ENT_QUOTES | ENT_SUBSTITUTE, 'UTF-8');
    }
}
