<?php

declare(strict_types=1);

namespace Storefront\Tests;

use PDO;
use PDOException;
use RuntimeException;
use Socket;

/** The real servers that a shop needs, on loopback ports of their own, over a temporary folder. */
final class Stack
{
    public readonly string $folder;
    public readonly string $release;
    public readonly int $httpPort;
    /** Port of the same shop, whose database and caches take no connection and never refuse one. */
    public readonly int $blackHolePort;
    /** @var array<string, string> */
    public readonly array $environment;

    /** @var array<string, resource> */
    private array $processes = [];
    /** @var array<string, int> */
    private array $ports = [];
    /** @var list<Socket> */
    private array $blackHole = [];
    private readonly bool $isRoot;
    private bool $isGone = false;

    public function __construct()
    {
        $this->isRoot = posix_geteuid() === 0;
        $this->folder = sys_get_temp_dir() . '/storefront-test-' . bin2hex(random_bytes(6));
        $this->release = $this->folder . '/release';
        mkdir($this->folder, 0o755);
        mkdir($this->folder . '/shared/media', 0o755, true);
        foreach (['database', 'cache', 'session'] as $name) {
            $this->ports[$name] = $this->freePort();
        }
        $this->httpPort = $this->freePort();
        $this->blackHolePort = $this->freePort();
        $this->environment = $this->makeEnvironment();
        $this->copyRelease();
    }

    public function startDatabase(): void
    {
        $data = "$this->folder/database";
        if (!is_dir($data)) {
            $this->initialiseDatabase($data);
        }
        $this->start('database', ['mariadbd', '--no-defaults', "--datadir=$data", "--socket=$this->folder/mysql.sock",
            "--tmpdir=$this->folder/database-tmp", '--bind-address=127.0.0.1', "--port={$this->ports['database']}", '--innodb-log-file-size=8M',
            "--init-file=$this->folder/init.sql", ...($this->isRoot ? ['--user=mysql'] : [])]);
    }

    public function startRedis(string $name): void
    {
        $policy = $name === 'cache' ? 'allkeys-lru' : 'noeviction';
        $this->start($name, ['redis-server', '--bind', '127.0.0.1', '--port', (string) $this->ports[$name], '--save', '',
            '--maxmemory', '32mb', '--maxmemory-policy', $policy, '--dir', $this->folder,
            '--requirepass', $this->environment['REDIS_' . strtoupper($name) . '_PASSWORD']]);
        $this->await(fn (): bool => $this->isListening($this->ports[$name]), $name);
    }

    public function startWeb(): void
    {
        $this->openBlackHole();
        file_put_contents("$this->folder/fpm.conf", $this->fpmConfig());
        file_put_contents("$this->folder/nginx.conf", $this->nginxConfig());
        $asRoot = $this->isRoot ? ['-R'] : [];
        $fpm = is_executable('/usr/sbin/php-fpm8.2') ? '/usr/sbin/php-fpm8.2' : 'php-fpm';
        $this->start('fpm', [$fpm, '-F', '-y', "$this->folder/fpm.conf", ...$asRoot], $this->environment);
        $this->start('nginx', ['nginx', '-c', "$this->folder/nginx.conf", '-e', "$this->folder/nginx.log"]);
        $this->await(fn (): bool => @file_get_contents("http://127.0.0.1:$this->httpPort/health_check.php?liveness") !== false, 'web');
    }

    /** Runs bin/magento as the user that tasks run as. @return array{code: int, out: string, err: string, seconds: float} */
    public function magento(string $arguments, array $environment = []): array
    {
        return $this->finish($this->beginMagento($arguments, $environment));
    }

    /** @return array{process: resource, pipes: array<int, resource>, start: float} */
    public function beginMagento(string $arguments, array $environment = []): array
    {
        $command = [PHP_BINARY, "$this->release/bin/magento", ...explode(' ', $arguments)];
        if ($this->isRoot) {
            $command = ['setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups', ...$command];
        }
        $start = microtime(true);
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['pipe', 'w']], $pipes, null, $environment + $this->environment);
        return ['process' => $process, 'pipes' => $pipes, 'start' => $start];
    }

    public function finish(array $run): array
    {
        $out = stream_get_contents($run['pipes'][1]);
        $err = stream_get_contents($run['pipes'][2]);
        $code = proc_close($run['process']);
        return ['code' => $code, 'out' => $out, 'err' => $err, 'seconds' => microtime(true) - $run['start']];
    }

    /** The answer of health_check.php with another environment. */
    public function health(array $environment): string
    {
        $command = [PHP_BINARY, "$this->release/pub/health_check.php"];
        $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']], $pipes, null, $environment + $this->environment);
        $out = (string) stream_get_contents($pipes[1]);
        proc_close($process);
        return $out;
    }

    public function root(): PDO
    {
        return new PDO("mysql:unix_socket=$this->folder/mysql.sock;dbname=shop", 'root', '', [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
    }

    public function redis(string $name): \Redis
    {
        $redis = new \Redis();
        $redis->connect('127.0.0.1', $this->ports[$name], 1);
        $redis->auth($this->environment['REDIS_' . strtoupper($name) . '_PASSWORD']);
        return $redis;
    }

    public function awaitDatabase(): void
    {
        $this->await(function (): bool {
            try {
                return $this->root() instanceof PDO;
            } catch (PDOException) {
                return false;
            }
        }, 'database');
    }

    public function signal(string $name, int $signal): void
    {
        proc_terminate($this->processes[$name], $signal);
    }

    public function stop(string $name, int $signal = SIGTERM): void
    {
        $process = $this->processes[$name] ?? null;
        unset($this->processes[$name]);
        if ($process === null) {
            return;
        }
        proc_terminate($process, SIGCONT);
        proc_terminate($process, $signal);
        for ($waited = 0; proc_get_status($process)['running'] && $waited < 500; $waited++) {
            usleep(10_000);
        }
        proc_terminate($process, SIGKILL);
        proc_close($process);
    }

    public function log(string $name): string
    {
        return (string) @file_get_contents("$this->folder/$name.log");
    }

    public function destroy(): void
    {
        if ($this->isGone) {
            return;
        }
        $this->isGone = true;
        foreach (array_reverse(array_keys($this->processes)) as $name) {
            $this->stop($name, $name === 'database' ? SIGKILL : SIGTERM);
        }
        foreach ($this->blackHole as $socket) {
            socket_close($socket);
        }
        exec('rm -rf ' . escapeshellarg($this->folder));
    }

    /** @param list<string> $command */
    private function start(string $name, array $command, ?array $environment = null): void
    {
        $log = ['file', "$this->folder/$name.log", 'a'];
        $process = proc_open($command, [0 => ['file', '/dev/null', 'r'], 1 => $log, 2 => $log], $pipes, $this->folder, $environment);
        $this->processes[$name] = $process ?: throw new RuntimeException("$name could not be started");
    }

    private function await(callable $isReady, string $what): void
    {
        for ($deadline = microtime(true) + 15; !$isReady(); usleep(5_000)) {
            if (microtime(true) > $deadline) {
                throw new RuntimeException("$what did not come up: " . substr($this->log($what), -800));
            }
        }
    }

    private function isListening(int $port): bool
    {
        return is_resource(@fsockopen('127.0.0.1', $port, $code, $message, 0.2));
    }

    private function freePort(): int
    {
        $socket = socket_create(AF_INET, SOCK_STREAM, 0);
        socket_bind($socket, '127.0.0.1');
        socket_getsockname($socket, $address, $port);
        socket_close($socket);
        return $port;
    }

    /** A socket whose queue is full drops every further attempt to connect, like a host that is gone. */
    private function openBlackHole(): void
    {
        $listener = socket_create(AF_INET, SOCK_STREAM, 0);
        socket_bind($listener, '127.0.0.1');
        socket_listen($listener, 1);
        socket_getsockname($listener, $address, $port);
        $this->ports['nowhere'] = $port;
        $this->blackHole[] = $listener;
        for ($i = 0; $i < 8; $i++) {
            $client = socket_create(AF_INET, SOCK_STREAM, 0);
            socket_set_nonblock($client);
            @socket_connect($client, '127.0.0.1', $port);
            $this->blackHole[] = $client;
        }
    }

    private function copyRelease(): void
    {
        $source = dirname(__DIR__);
        mkdir($this->release);
        foreach (['bin', 'migrations', 'pub', 'src', 'templates', 'var'] as $part) {
            exec('cp -r ' . escapeshellarg("$source/$part") . ' ' . escapeshellarg("$this->release/$part"));
        }
        file_put_contents("$this->release/REVISION.txt", "test-revision-7\n");
        if ($this->isRoot) {
            chown("$this->release/var", 'www-data');
            chown("$this->folder/shared/media", 'www-data');
        }
    }

    private function initialiseDatabase(string $data): void
    {
        $user = $this->isRoot ? ' --user=mysql' : '';
        $init = "$this->folder/init.sql";
        file_put_contents($init, sprintf(
            "CREATE DATABASE IF NOT EXISTS shop;\nCREATE USER IF NOT EXISTS shop@'127.0.0.1' IDENTIFIED BY '%s';\n"
                . "GRANT ALL ON shop.* TO shop@'127.0.0.1';\n",
            $this->environment['MYSQL_PASSWORD'],
        ));
        if ($this->isRoot) {
            chmod($this->folder, 0o777);
            chown($init, 'mysql');
        }
        chmod($init, 0o600);
        // Servers with the same process id in different namespaces would share the names of temporary tables in /tmp.
        mkdir($temporary = "$data-tmp");
        chmod($temporary, 0o777);
        exec("mariadb-install-db --no-defaults --datadir=$data --tmpdir=$temporary --skip-test-db --auth-root-authentication-method=normal"
            . " --innodb-log-file-size=8M$user >$this->folder/install-db.log 2>&1", result_code: $code);
        if ($code !== 0) {
            throw new RuntimeException('mariadb-install-db failed: ' . $this->log('install-db'));
        }
    }

    /** @return array<string, string> */
    private function makeEnvironment(): array
    {
        $secret = static fn (): string => bin2hex(random_bytes(12));
        return [
            'PATH' => (string) getenv('PATH'),
            'MYSQL_HOST' => '127.0.0.1',
            'MYSQL_PORT' => (string) $this->ports['database'],
            'MYSQL_DATABASE' => 'shop',
            'MYSQL_USER' => 'shop',
            'MYSQL_PASSWORD' => $secret(),
            'REDIS_CACHE_HOST' => '127.0.0.1',
            'REDIS_CACHE_PORT' => (string) $this->ports['cache'],
            'REDIS_CACHE_PASSWORD' => $secret(),
            'REDIS_SESSION_HOST' => '127.0.0.1',
            'REDIS_SESSION_PORT' => (string) $this->ports['session'],
            'REDIS_SESSION_PASSWORD' => $secret(),
            'CACHE_PREFIX' => 'test_',
            'MAGE_TABLE_PREFIX' => 'mck_',
            'CRYPT_KEY' => $secret(),
            'ADMIN_PASSWORD' => $secret(),
            'MEDIA_PATH' => "$this->folder/shared/media",
            'TASK_ID' => 'task-under-test',
        ];
    }

    private function fpmConfig(): string
    {
        $nowhere = '';
        foreach (['MYSQL', 'REDIS_CACHE', 'REDIS_SESSION'] as $service) {
            $nowhere .= "env[{$service}_PORT] = {$this->ports['nowhere']}\n";
        }
        $owner = $this->isRoot ? "user = www-data\ngroup = www-data\nlisten.owner = www-data\n" : '';
        $common = "{$owner}pm = static\nclear_env = no\ncatch_workers_output = yes\ndecorate_workers_output = no\n";
        return "[global]\nerror_log = $this->folder/fpm.log\n"
            . "[shop]\nlisten = $this->folder/shop.sock\npm.max_children = 10\n$common"
            . "[nowhere]\nlisten = $this->folder/nowhere.sock\npm.max_children = 2\n$common$nowhere";
    }

    private function nginxConfig(): string
    {
        $parameters = '';
        foreach (['QUERY_STRING' => 'query_string', 'REQUEST_METHOD' => 'request_method', 'CONTENT_TYPE' => 'content_type',
            'CONTENT_LENGTH' => 'content_length', 'REQUEST_URI' => 'request_uri'] as $name => $variable) {
            $parameters .= "fastcgi_param $name \$$variable; ";
        }
        $server = fn (int $port, string $pool): string => "server {
            listen 127.0.0.1:$port;
            root $this->release/pub;
            location / { try_files \$uri /index.php\$is_args\$args; }
            location /media/ { root $this->folder/shared; try_files \$uri /get.php\$is_args\$args; }
            location ~ ^/(index|get|health_check)\\.php\$ {
                fastcgi_pass unix:$this->folder/$pool.sock;
                fastcgi_param SCRIPT_FILENAME $this->release/pub\$fastcgi_script_name; $parameters
            }
        }\n";
        return ($this->isRoot ? "user www-data;\n" : '') . "daemon off;\npid $this->folder/nginx.pid;\n"
            . "worker_processes 1;\nevents { worker_connections 256; }\nhttp {\naccess_log off;\nclient_max_body_size 4m;\n"
            . "client_body_temp_path $this->folder/nginx-body;\nfastcgi_temp_path $this->folder/nginx-fastcgi;\n"
            . "proxy_temp_path $this->folder/nginx-p; uwsgi_temp_path $this->folder/nginx-u; scgi_temp_path $this->folder/nginx-s;\n"
            . "types { text/css css; image/svg+xml svg; image/png png; image/jpeg jpg; image/webp webp; }\n"
            . $server($this->httpPort, 'shop') . $server($this->blackHolePort, 'nowhere') . "}\n";
    }
}
