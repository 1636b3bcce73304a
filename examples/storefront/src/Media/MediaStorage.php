<?php

declare(strict_types=1);

namespace Storefront\Media;

use RuntimeException;
use Storefront\Unavailable;

/** The folder that all tasks share. Files appear in it complete or not at all. */
final readonly class MediaStorage
{
    public function __construct(private string $root)
    {
    }

    /** The file's place, or null for a name that no file of ours could have. */
    public function locate(string $name): ?string
    {
        $isSafe = strlen($name) < 200 && preg_match('#^[a-z0-9_-]+(/[a-z0-9_-]+)*\.[a-z0-9]{2,4}$#D', $name) === 1;
        return $isSafe ? "$this->root/$name" : null;
    }

    public function has(string $name): bool
    {
        $path = $this->locate($name);
        return $path !== null && is_file($path);
    }

    /**
     * @param bool $isReproducible whether the file could be made again; if not, it is synchronised to the disk
     * @throws Unavailable when the bytes did not get there
     */
    public function store(string $name, string $bytes, bool $isReproducible = false): void
    {
        $path = $this->locate($name) ?? throw new RuntimeException("\"$name\" can't be the name of a media file.");
        $folder = dirname($path);
        if (!is_dir($folder) && !@mkdir($folder, 0o775, true) && !is_dir($folder)) {
            throw new Unavailable("The media folder for \"$name\" could not be made.");
        }
        $temporary = "$folder/." . bin2hex(random_bytes(8)) . '.tmp';
        $file = @fopen($temporary, 'xb');
        $isComplete = $file !== false && @fwrite($file, $bytes) === strlen($bytes)
            && ($isReproducible || fsync($file)) && fclose($file);
        if (!$isComplete || !@rename($temporary, $path)) {
            @unlink($temporary);
            throw new Unavailable("The media file \"$name\" could not be stored.");
        }
    }

    /** Stores under the hash of the content: no file is ever changed. @return string its name */
    public function storeByContent(string $folder, string $bytes, string $extension): string
    {
        $name = $folder . '/' . substr(hash('sha256', $bytes), 0, 40) . '.' . $extension;
        if (!$this->has($name)) {
            $this->store($name, $bytes);
        }
        return $name;
    }

    /** Writes and deletes a small file. @throws Unavailable when that is not possible */
    public function probe(string $name): void
    {
        $path = "$this->root/.health-$name";
        $isWritten = @file_put_contents($path, 'ok') === 2;
        if (!@unlink($path) || !$isWritten) {
            throw new Unavailable('media is not writable');
        }
    }

    /** Deletes files of a folder that are older than $age seconds. @return int how many */
    public function expire(string $folder, int $age): int
    {
        $count = 0;
        foreach (glob("$this->root/$folder/{*,.*.tmp}", GLOB_BRACE) ?: [] as $path) {
            if (is_file($path) && time() - (int) @filemtime($path) > $age) {
                $count += (int) @unlink($path);
            }
        }
        return $count;
    }
}
