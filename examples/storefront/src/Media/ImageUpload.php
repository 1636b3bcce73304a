<?php

declare(strict_types=1);

namespace Storefront\Media;

use GdImage;
use Storefront\Http\HttpError;

/** An image decoded from bytes of a stranger, whatever their name or declared type says. */
final readonly class ImageUpload
{
    public const MAX_BYTES = 2_000_000;
    private const MAX_PIXELS = 16_000_000;
    private const EXTENSIONS = [IMAGETYPE_JPEG => 'jpg', IMAGETYPE_PNG => 'png', IMAGETYPE_WEBP => 'webp'];

    private function __construct(public GdImage $image, public string $extension)
    {
    }

    /** @param array{tmp_name: string, size: int, error: int} $file one entry of $_FILES */
    public static function fromFile(array $file): self
    {
        if ($file['error'] !== UPLOAD_ERR_OK || $file['size'] > self::MAX_BYTES || !is_uploaded_file($file['tmp_name'])) {
            throw new HttpError(413, 'The image could not be received. It may have at most 2 MB.');
        }
        return self::fromBytes((string) file_get_contents($file['tmp_name']))
            ?? throw new HttpError(422, 'This is not a JPEG, PNG or WebP image that we can read.');
    }

    /** Looks at the declared size before decoding, so that a small file can't ask for gigabytes. */
    public static function fromBytes(string $bytes): ?self
    {
        [$width, $height, $type] = (@getimagesizefromstring($bytes) ?: []) + [0, 0, 0];
        if (!isset(self::EXTENSIONS[$type]) || $width * $height < 1 || $width * $height > self::MAX_PIXELS) {
            return null;
        }
        $image = @imagecreatefromstring($bytes);
        return $image === false ? null : new self($image, self::EXTENSIONS[$type]);
    }

    /** Encoded anew: what was hidden between or behind the pixels is gone. */
    public function encode(): string
    {
        return self::encodeAs($this->image, $this->extension);
    }

    public static function encodeAs(GdImage $image, string $extension): string
    {
        ob_start();
        match ($extension) {
            'jpg' => imagejpeg($image, null, 85),
            'webp' => imagewebp($image, null, 85),
            default => imagesavealpha($image, true) && imagepng($image, null, 6),
        };
        return (string) ob_get_clean();
    }
}
