<?php

declare(strict_types=1);

namespace Storefront\Setup;

use GdImage;

/** Draws a product's picture: the same for the same number, at any time, on any machine. */
final class ProductArt
{
    private const SIDE = 640;
    /** Background, wall shade, body, accent. */
    private const PALETTES = [
        ['f3e9dc', 'e6d5bf', 'c08552', '5e3023'],
        ['dfe9e6', 'c4d6d1', '4f7f78', '22413c'],
        ['f7e3dd', 'ecc8bd', 'c8553d', '588157'],
        ['e4e6f1', 'cdd1e6', '5b6aa8', '2b2d5b'],
        ['f6edd0', 'ecdca4', 'd9a404', '6b4e00'],
        ['e9ecdf', 'd3dabf', '7a8f3c', '3a4a1c'],
        ['efe4ec', 'dfcadb', '9a5b8d', '4b2546'],
    ];

    private GdImage $image;
    private int $body;
    private int $accent;
    private int $light;

    /** @return string PNG */
    public static function draw(string $category, int $number): string
    {
        return (new self($number))->render($category, $number);
    }

    private function __construct(int $number)
    {
        $this->image = imagecreate(self::SIDE, self::SIDE);
        [$background, $shade, $body, $accent] = self::PALETTES[($number + intdiv($number, 7)) % count(self::PALETTES)];
        $this->color($background);
        $shade = $this->color($shade);
        $this->body = $this->color($body);
        $this->accent = $this->color($accent);
        $this->light = $this->color('fffaf0');
        imagefilledellipse($this->image, 150 + $number * 83 % 340, 180, 420, 420, $shade);
        imagefilledrectangle($this->image, 0, 470, self::SIDE, self::SIDE, $shade);
    }

    private function render(string $category, int $number): string
    {
        $grow = $number * 29 % 60;
        match ($category) {
            'kitchen' => $this->mug($grow),
            'desk' => $this->notebook($grow),
            'light' => $this->lamp($grow),
            'outdoors' => $this->tent($grow),
            'textiles' => $this->cloth($grow),
            default => $this->plant($grow),
        };
        ob_start();
        imagepng($this->image, null, 1, PNG_NO_FILTER);
        return (string) ob_get_clean();
    }

    private function mug(int $grow): void
    {
        imagefilledellipse($this->image, 430, 370, 150, 150, $this->accent);
        imagefilledellipse($this->image, 430, 370, 90, 90, $this->light);
        $this->box(210, 250 - $grow, 430, 500, $this->body);
        imagefilledellipse($this->image, 320, 500, 220, 60, $this->body);
        imagefilledellipse($this->image, 320, 250 - $grow, 220, 60, $this->accent);
        $this->box(210, 330, 430, 350, $this->light);
    }

    private function notebook(int $grow): void
    {
        $this->box(190, 180 - $grow, 470, 530, $this->accent);
        $this->box(180, 170 - $grow, 455, 515, $this->body);
        $this->box(180, 170 - $grow, 212, 515, $this->accent);
        $this->box(250, 240, 415, 300, $this->light);
        $this->box(270, 262, 270 + 80 + $grow, 270, $this->accent);
        $this->box(430, 170 - $grow, 442, 515, $this->light);
    }

    private function lamp(int $grow): void
    {
        imagefilledellipse($this->image, 320, 340, 420, 300, $this->light);
        $this->box(312, 300, 328, 520, $this->accent);
        imagefilledellipse($this->image, 320, 520, 180, 46, $this->accent);
        $this->shape([260 - $grow / 2, 160, 380 + $grow / 2, 160, 470, 340, 170, 340], $this->body);
        imagefilledellipse($this->image, 320, 340, 300, 44, $this->accent);
    }

    private function tent(int $grow): void
    {
        imagefilledellipse($this->image, 500, 130, 90, 90, $this->light);
        $this->shape([40, 480, 190, 280 - $grow, 340, 480], $this->accent);
        $this->shape([130, 520, 330, 200 - $grow, 540, 520], $this->body);
        $this->shape([270, 520, 330, 300, 395, 520], $this->light);
        $this->box(327, 180 - $grow, 333, 300, $this->accent);
    }

    private function cloth(int $grow): void
    {
        for ($fold = 0; $fold < 4; $fold++) {
            $top = 210 + $fold * 80;
            imagefilledellipse($this->image, 180, $top + 35, 70, 70, $fold % 2 ? $this->light : $this->body);
            $this->box(180, $top, 490 - $fold * $grow / 6, $top + 70, $fold % 2 ? $this->light : $this->body);
            $this->box(400, $top, 415, $top + 70, $this->accent);
        }
    }

    private function plant(int $grow): void
    {
        $this->box(314, 200 - $grow, 326, 400, $this->accent);
        foreach ([[250, 300], [390, 280], [260, 210], [380, 190]] as $index => [$x, $y]) {
            imagefilledellipse($this->image, $x, $y - intdiv($grow, 2), 130, 70, $index % 2 ? $this->body : $this->accent);
        }
        $this->shape([220, 380, 420, 380, 390, 530, 250, 530], $this->body);
        $this->box(205, 370, 435, 410, $this->light);
    }

    private function box(float $left, float $top, float $right, float $bottom, int $color): void
    {
        imagefilledrectangle($this->image, (int) $left, (int) $top, (int) $right, (int) $bottom, $color);
    }

    /** @param list<int|float> $points */
    private function shape(array $points, int $color): void
    {
        imagefilledpolygon($this->image, array_map(intval(...), $points), $color);
    }

    private function color(string $hex): int
    {
        return (int) imagecolorallocate($this->image, ...sscanf($hex, '%2x%2x%2x'));
    }
}
