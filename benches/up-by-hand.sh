#!/bin/bash
# up-by-hand.sh start|stop FOLDER
#
# What a competent person would write who has to start the storefront's servers without mck: the
# same programs with the same settings (taken into FOLDER by capture.py), as much at once as can be,
# and no wait longer than it must be. `start` returns when the store is installed; HAProxy lets
# visitors in when its health checks have passed.
set -euo pipefail
action=$1 folder=$2
# PREFIX of the namespaces, RUN folder, HTTP and HTTPS ports, SOURCE of the shop.
. "$folder/settings"

stop() {
    if [ -e "$RUN/slirp.pid" ]; then
        kill "$(cat "$RUN/slirp.pid")" 2>/dev/null || true
    fi
    for namespace in /run/netns/"$PREFIX"*; do
        [ -e "$namespace" ] || continue
        name=${namespace##*/}
        ip netns pids "$name" | xargs -r kill -9 2>/dev/null || true
        ip netns delete "$name"
    done
    rm -rf "$RUN"
}

folders() {
    install -d -m 711 "$RUN"
    mkdir -m 711 "$RUN"/{control,data,tmp,log,keys}
    while read -r _ name uid gid; do
        mkdir "$RUN/control/$name" "$RUN/tmp/$name" "$RUN/data/$name"
        chown "$uid:$gid" "$RUN/control/$name" "$RUN/tmp/$name" "$RUN/data/$name"
        : >"$RUN/log/$name"
    done <"$folder/folders"
    chmod 666 "$RUN"/log/*
    mkdir -p -m 755 /run/sshd
}

network() {
    ip -batch "$folder/network/host.batch"
    ip netns exec "${PREFIX}router" sh -c "
        cd /proc/sys/net
        echo 1 >ipv6/conf/all/disable_ipv6
        echo 1 >ipv4/ip_forward
        echo 0 >ipv4/conf/all/rp_filter
        echo 1 >ipv4/conf/default/rp_filter
        ip -batch $folder/network/links.batch
        for gateway in igw 172.31.0.4 172.31.1.4 172.31.2.4; do
            echo 0 >ipv4/conf/\$gateway/rp_filter
        done
        nft -f $folder/network/router.nft" &
    local router=$! insides=()
    wait $router
    for inside in "$folder"/network/inside/*.sh; do
        name=${inside##*/}
        name=${name%.sh}
        ip netns exec "$PREFIX$name" sh "$inside" &
        insides+=($!)
    done
    wait "${insides[@]}"
    ip -n "${PREFIX}router" -batch "$folder/network/connect.batch"
}

internet() {
    slirp4netns --configure --mtu=1500 --cidr=198.18.0.0/24 --disable-host-loopback \
        --netns-type=path "/run/netns/${PREFIX}igw" tap0 >"$RUN/log/slirp" 2>&1 &
    echo $! >"$RUN/slirp.pid"
}

# server NAME [NAMESPACE]
server() {
    ip netns exec "$PREFIX${2:-$1}" sh "$folder/start/$1.sh" >>"$RUN/log/$1" 2>&1 </dev/null &
}

ssh_keys() {
    local makers=()
    for name in bastion app-1 app-2 client; do
        ssh-keygen -q -t ed25519 -N '' -C "$name" -f "$RUN/keys/$name" &
        makers+=($!)
    done
    wait "${makers[@]}"
}

certificate() {
    cd "$RUN/keys"
    local new=(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    "${new[@]}" -x509 -days 3650 -subj '/CN=by hand' -keyout ca.key -out ca.pem \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 2>/dev/null
    "${new[@]}" -x509 -days 397 -subj /CN=shop.localhost -CA ca.pem -CAkey ca.key \
        -addext subjectAltName=DNS:shop.localhost -keyout leaf.key -out leaf.pem 2>/dev/null
    (umask 077 && cat leaf.pem ca.pem leaf.key >certificate.pem)
    chown haproxy: certificate.pem
}

release() {
    cp -a "$SOURCE" "$RUN/release"
    echo by-hand >"$RUN/release/REVISION.txt"
    chown -R www-data: "$RUN/release/pub/media" "$RUN/release/var"
}

# Waits for a file or a socket.
await() {
    until [ -e "$1" ]; do sleep 0.005; done
}

sql() {
    mariadb --no-defaults --socket="$RUN/control/$1/mysqld.sock" --batch --skip-column-names
}

empty_database() {
    chown mysql: "$RUN/data/db-0"
    TMPDIR=$RUN/tmp/db-0 setpriv --reuid mysql --regid mysql --clear-groups -- \
        mariadb-install-db --no-defaults --datadir="$RUN/data/db-0" --innodb-log-file-size=8M \
        --innodb-buffer-pool-size=16M --auth-root-authentication-method=socket \
        --auth-root-socket-user=root --skip-test-db --skip-name-resolve --cross-bootstrap \
        >"$RUN/log/install-db" 2>&1
    rmdir "$RUN/data/db-1"
    cp -a "$RUN/data/db-0" "$RUN/data/db-1"
}

replication() {
    await "$RUN/control/db-1/mysqld.sock"
    sql db-1 <"$folder/sql/follow.sql"
    until [ "$(echo "SHOW STATUS LIKE 'Slave_running'" | sql db-1)" = $'Slave_running\tON' ]; do
        sleep 0.005
    done
    echo 'SET GLOBAL rpl_semi_sync_master_enabled=1' | sql db-0
}

start() {
    folders
    empty_database &
    local database=$!
    ssh_keys &
    local ssh=$!
    certificate &
    local tls=$!
    release &
    local code=$!
    network
    internet
    server resolver
    for name in redis-cache-0 redis-cache-1 redis-session-0 redis-session-1; do
        server $name
    done
    wait $tls
    python3 -S -E "$(dirname "$0")/listen.py" "$HTTP" "$HTTPS" "$PREFIX" "$folder/start" lb-a lb-b lb-c \
        >>"$RUN/log/lb-a" 2>&1
    wait $ssh
    for name in bastion app-1 app-2; do
        server $name
    done
    wait $code
    for task in task-1 task-2; do
        server $task.php-fpm $task
        server $task.nginx $task
    done
    wait $database
    server db-0
    server db-1
    await "$RUN/control/db-0/mysqld.sock"
    sql db-0 <"$folder/sql/schemas.sql"
    replication &
    local replication=$!
    ip netns exec "${PREFIX}task-1" sh "$folder/start/install.sh" >"$RUN/log/install" 2>&1
    wait $replication
}

"$action"
