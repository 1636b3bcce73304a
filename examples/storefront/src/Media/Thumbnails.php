<?php

declare(strict_types=1);

namespace Storefront\Media;

use GdImage;
use Storefront\Http\Response;
use Storefront\Log;
use Storefront\Unavailable;

/** Answers /media/… when the web server found no file there: makes the thumbnail, or says 404 with a placeholder. */
final readonly class Thumbnails
{
    /** Side of the square, in pixels. Nothing else is made, so nobody can fill the disk with sizes. */
    public const SIZES = ['small' => 120, 'card' => 480, 'large' => 640];
    private const TYPES = ['jpg' => 'image/jpeg', 'png' => 'image/png', 'webp' => 'image/webp'];
    private const PLACEHOLDER = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 120 120"><rect width="120" '
        . 'height="120" fill="#e7e5e0"/><path d="M30 82l20-26 14 17 10-12 18 21zM76 46a7 7 0 1 1 .1 0z" fill="#b9b4aa"/></svg>';

    public function __construct(private MediaStorage $media, private Log $log)
    {
    }

    public static function url(string $image, string $size): string
    {
        $side = self::SIZES[$size];
        return "/media/cache/{$side}x{$side}/$image";
    }

    public function answer(string $path): Response
    {
        $name = substr($path, strlen('/media/'));
        $side = preg_match('#^cache/(\d+)x\1/(.+)\.(jpg|png|webp)$#D', $name, $match) === 1 ? (int) $match[1] : 0;
        $bytes = in_array($side, self::SIZES, true) ? $this->make("$match[2].$match[3]", $side) : null;
        if ($bytes === null) {
            return Response::file(self::PLACEHOLDER, 'image/svg+xml', 404, 'no-store');
        }
        try {
            $this->media->store($name, $bytes, isReproducible: true);
        } catch (Unavailable $error) {
            $this->log->warning('thumbnail not kept', $error);
        }
        return Response::file($bytes, self::TYPES[$match[3]], 200, 'public, max-age=31536000, immutable');
    }

    private function make(string $original, int $side): ?string
    {
        $path = str_starts_with($original, 'cache/') ? null : $this->media->locate($original);
        $bytes = $path === null ? false : @file_get_contents($path, length: 4 * ImageUpload::MAX_BYTES);
        $upload = $bytes === false ? null : ImageUpload::fromBytes($bytes);
        if ($upload === null) {
            return null;
        }
        return ImageUpload::encodeAs($this->cropSquare($upload->image, $side), pathinfo($original, PATHINFO_EXTENSION));
    }

    private function cropSquare(GdImage $image, int $side): GdImage
    {
        $width = imagesx($image);
        $height = imagesy($image);
        $crop = min($width, $height);
        $square = imagecreatetruecolor($side, $side);
        imagealphablending($square, false);
        $x = intdiv($width - $crop, 2);
        $y = intdiv($height - $crop, 2);
        imagecopyresampled($square, $image, 0, 0, $x, $y, $side, $side, $crop, $crop);
        return $square;
    }
}
