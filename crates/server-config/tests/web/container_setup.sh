# Plays an OCI runtime for the tests: private mounts, network and processes; the release read-only,
# the rendered files in place, tmpfs where a preset says so. Ends when its standard input closes.
set -eu
stage=$1
mount --bind "$stage" /mnt
stage=/mnt
ip link set lo up
echo 0 > /proc/sys/net/ipv4/ip_unprivileged_port_start
mount -t overlay overlay -o "lowerdir=$stage/files/etc:/etc" /etc
if [ -d $stage/release ]; then
    mount --bind $stage/release /var/www/html
    mount -o remount,bind,ro /var/www/html
fi
for folder in /tmp /run /var/lib/nginx /var/log/nginx; do
    mount -t tmpfs -o mode=1777 tmpfs $folder
done
while read -r seeded path; do
    mount -t tmpfs -o uid=33,gid=33,mode=0755 tmpfs "$path"
    if [ "$seeded" = true ]; then
        cp -R "$stage/release/${path#/var/www/html/}/." "$path"
    fi
done < $stage/writable
while read -r path; do
    mkdir -p "$stage/shared$path"
    source=$stage/release/${path#/var/www/html/}
    [ ! -d "$source" ] || cp -R "$source/." "$stage/shared$path"
    chown -R 33:33 "$stage/shared$path"
    mount --bind "$stage/shared$path" "$path"
done < $stage/shared-paths
. $stage/servers.sh
echo ready
exec cat > /dev/null
