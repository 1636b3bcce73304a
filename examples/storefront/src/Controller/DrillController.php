<?php

declare(strict_types=1);

namespace Storefront\Controller;

use PDOException;
use Storefront\Database\ErrorCode;
use Storefront\Http\HttpError;
use Storefront\Http\Response;

/** Small writes and reads by which drills find out what was lost when something broke. No form key, and bounded. */
final class DrillController extends Controller
{
    private const MAX_PAGE = 1000;
    private const MAX_SESSION_KEYS = 64;
    private const MAX_MEDIA_BYTES = 65_536;

    public function whoAmI(): Response
    {
        return Response::json([
            'hostname' => (string) gethostname(),
            'task_id' => $this->app->config->taskId ?: null,
            'revision' => $this->app->config->revision ?: null,
        ]);
    }

    /** 201 means committed; 409 means that it had been before; 503 means that nobody knows. */
    public function addToken(): Response
    {
        $token = $this->request->form('token');
        if (preg_match('/^[\w.:-]{1,64}$/D', $token) !== 1) {
            throw new HttpError(422, 'A token has 1 to 64 letters, digits or any of . _ : -');
        }
        try {
            $id = $this->app->db()->insert('INSERT INTO {drill_token} (token) VALUES (?)', [$token]);
        } catch (PDOException $error) {
            if (!ErrorCode::isDuplicate($error)) {
                throw $error;
            }
            $id = $this->app->db()->fetchValue('SELECT id FROM {drill_token} WHERE token = ?', [$token]);
            return Response::json(['token' => $token, 'id' => $id, 'error' => 'This token is there already.'], 409);
        }
        return Response::json(['token' => $token, 'id' => $id], 201);
    }

    public function tokens(): Response
    {
        $after = max(0, (int) $this->request->query('after_id'));
        $limit = max(1, min(self::MAX_PAGE, (int) $this->request->query('limit', (string) self::MAX_PAGE)));
        $tokens = $this->app->db()
            ->fetchAll('SELECT id, token FROM {drill_token} WHERE id > ? ORDER BY id LIMIT ?', [$after, $limit]);
        $isLast = count($tokens) < $limit;
        return Response::json(['tokens' => $tokens, 'next_after_id' => $isLast ? null : end($tokens)['id']]);
    }

    public function readSession(): Response
    {
        return Response::json(['session' => (object) $this->session()->get('drill', [])]);
    }

    public function writeSession(): Response
    {
        $key = $this->request->form('key', 'value');
        $value = $this->request->form('value');
        if (preg_match('/^[\w.:-]{1,64}$/D', $key) !== 1 || strlen($value) > 256) {
            throw new HttpError(422, 'A key has 1 to 64 plain characters, a value at most 256 bytes.');
        }
        $this->session()->update(static function (array $data) use ($key, $value): array {
            $data['drill'][$key] = $value;
            if (count($data['drill']) > self::MAX_SESSION_KEYS) {
                throw new HttpError(413, 'A session holds at most ' . self::MAX_SESSION_KEYS . ' keys.');
            }
            return $data;
        });
        return Response::json(['key' => $key, 'value' => $value]);
    }

    public function addMedia(): Response
    {
        $file = $this->request->file('file');
        $bytes = match (true) {
            $file === null => $this->request->body(self::MAX_MEDIA_BYTES + 1),
            $file['error'] === UPLOAD_ERR_OK && is_uploaded_file($file['tmp_name'])
                => (string) file_get_contents($file['tmp_name'], length: self::MAX_MEDIA_BYTES + 1),
            default => '',
        };
        if ($bytes === '' || strlen($bytes) > self::MAX_MEDIA_BYTES) {
            throw new HttpError(413, 'A file has 1 to ' . self::MAX_MEDIA_BYTES . ' bytes.');
        }
        // The ending says nothing about the content on purpose: the web server hands it out as plain bytes.
        $name = $this->app->media()->storeByContent('drill', $bytes, 'bin');
        return Response::json(['url' => "/media/$name", 'sha256' => hash('sha256', $bytes), 'bytes' => strlen($bytes)], 201);
    }
}
