<?php
/*
 * Readiness: the database and both Redis answer within two seconds each. It does not load
 * Magento, whose own time-outs are longer than a load balancer's.
 */
declare(strict_types=1);

function failure(string $what): never
{
    http_response_code(503);
    header('Cache-Control: no-store');
    echo "$what does not answer\n";
    exit;
}

function redis_answers(string $role): bool
{
    try {
        $redis = new Redis();
        $redis->connect((string) getenv("REDIS_{$role}_HOST"), (int) (getenv("REDIS_{$role}_PORT") ?: 6379), 2.0, null, 0, 2.0);
        $password = (string) getenv("REDIS_{$role}_PASSWORD");
        if ($password !== '') {
            $redis->auth($password);
        }
        return (bool) $redis->ping();
    } catch (RedisException) {
        return false;
    }
}

header('Content-Type: text/plain; charset=utf-8');
[$host, $port] = array_pad(explode(':', (string) getenv('MYSQL_HOST'), 2), 2, '3306');
try {
    $database = new PDO(
        "mysql:host=$host;port=$port;dbname=" . getenv('MYSQL_DATABASE'),
        (string) getenv('MYSQL_USER'),
        (string) getenv('MYSQL_PASSWORD'),
        [PDO::ATTR_TIMEOUT => 2, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION],
    );
    $database->query('SELECT 1');
} catch (PDOException) {
    failure('the database');
}
foreach (['CACHE' => 'the cache', 'SESSION' => 'the session store'] as $role => $name) {
    if (!redis_answers($role)) {
        failure($name);
    }
}
header('Cache-Control: no-store');
echo "healthy\n";
