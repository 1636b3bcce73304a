"""Takes the settings of a running environment, for up-by-hand.sh to start the same servers.

Configuration files, command lines, users and environment variables come from the containers'
bundles, addresses, routes and rules from the namespaces. Paths that only exist in a container are
replaced by paths of the hand-made environment. All of this is done before the clock runs, as a
person who writes such a script has written its files before.
"""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess

from measure import REPOSITORY

GATEWAY = "169.254.1.1"


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Capture:
    """Settings in `folder`; what the hand-made servers write goes to `run`."""

    def __init__(self, bench, folder, run):
        self.bench, self.folder, self.run = bench, folder, run
        self.prefix = f"hand{os.getpid()}."
        self.tasks = {}

    def all(self):
        for part in ("network/inside", "servers", "start", "sql"):
            (self.folder / part).mkdir(parents=True, mode=0o711)
        for bundle in self.bundles():
            self.server(bundle)
        self.network()
        self.sql()
        resolver = self.bench.home / "run/control/resolver/hosts"
        shutil.copy(resolver, self.folder / "servers/resolver/hosts")
        (self.folder / "settings").write_text(
            f"PREFIX={self.prefix}\nRUN={self.run}\nHTTP={self.bench.http}\nHTTPS={self.bench.https}\n"
            f"SOURCE={REPOSITORY}/examples/storefront\n"
        )

    def bundles(self):
        """Those of servers and of tasks that serve; hooks and jobs have no nginx."""
        all_of_them = sorted((self.bench.home / "run/containers").iterdir())
        serving = {it.name.split(".")[0] for it in all_of_them if it.name.endswith(".nginx")}
        return [it for it in all_of_them if "." not in it.name or it.name.split(".")[0] in serving]

    def name(self, original):
        """A task's id is another one each time; here it is task-1, task-2."""
        match = re.fullmatch(r"(?:task-)?(shop-[0-9a-f]{8})(\..*)?", original)
        if not match:
            return original
        task, rest = match.groups()
        short = self.tasks.setdefault(task, f"task-{len(self.tasks) + 1}")
        return short + (rest or "")

    def paths(self, name, text):
        """Replaces the paths of a container, in one pass."""
        own = self.folder / "servers" / name
        run = self.run
        places = {
            "/etc/mck/certificate.pem": f"{run}/keys/certificate.pem",
            "/etc/mck/host_key": f"{run}/keys/{name}",
            "/etc/mck": f"{own}/etc/mck",
            "/etc/magecloudkit": f"{own}/etc/magecloudkit",
            "/run/control/hosts": f"{own}/hosts",
            "/run/control": f"{run}/control/{name}",
            "/var/lib/mysql": f"{run}/data/{name}",
            "/data": f"{run}/data/{name}",
            "/var/www/html": f"{run}/release",
            "/tmp": f"{run}/tmp/{name}",
        }
        either = "|".join(re.escape(path) for path in sorted(places, key=len, reverse=True))
        return re.sub(rf"(?<![\w/.-])({either})(?![\w-])", lambda found: places[found[1]], text)

    def server(self, bundle):
        name = self.name(bundle.name)
        upper = bundle / "upper"
        for part in ("mck", "magecloudkit"):
            if (upper / "etc" / part).exists():
                self.files(name, upper / "etc" / part, self.folder / "servers" / name / "etc" / part)
        process = json.loads((bundle / "config.json").read_text())["process"]
        user = process["user"]
        namespace = name.split(".")[0]
        lines = ["#!/bin/sh"]
        if name.endswith(".php-fpm"):
            # Only the app looks names up; `ip netns exec` has made a mount namespace.
            shutil.copy(upper / "etc/resolv.conf", self.folder / "servers" / name / "resolv.conf")
            lines.append(f"mount --bind {self.folder}/servers/{name}/resolv.conf /etc/resolv.conf")
        for variable in process["env"]:
            key, value = variable.split("=", 1)
            lines.append(f"export {key}={shlex.quote(self.paths(name, value))}")
        lines.append(f"cd {shlex.quote(self.paths(name, process['cwd']))}")
        become = f"exec setpriv --reuid {user['uid']} --regid {user['gid']} --clear-groups --"
        command = shlex.join(self.paths(name, word) for word in process["args"])
        if user["uid"] == 0:
            become = "exec"
        start = self.folder / "start" / f"{name}.sh"
        private(start, "\n".join([*lines, f"{become} {command}", ""]))
        if name == "task-1.php-fpm":
            install = "php bin/magento setup:install"
            private(self.folder / "start/install.sh", "\n".join([*lines, f"{become} {install}", ""]))
        folders = self.folder / "folders"
        with folders.open("a") as out:
            out.write(f"{namespace} {name} {user['uid']} {user['gid']}\n")

    def files(self, name, source, target):
        target.mkdir(parents=True)
        for file in source.iterdir():
            if file.name in ("certificate.pem", "host_key"):
                continue
            status = file.stat()
            text = self.paths(name, file.read_text())
            if file.name == "haproxy.cfg":
                text = self.with_targets(text)
            private(target / file.name, text)
            os.chown(target / file.name, status.st_uid, status.st_gid)
            os.chmod(target / file.name, status.st_mode & 0o777)
        for folder in (target, target.parent, target.parent.parent):
            os.chmod(folder, 0o711)

    def with_targets(self, text):
        """Targets are added at run time by mck; a file written by hand has them in it."""
        health = "check inter 1000ms fastinter 100ms downinter 100ms rise 2 fall 2"
        group = f"{self.bench.id}-shop"
        tasks = [(self.name(part), it) for part, it in self.addresses() if part.startswith("task-")]
        for backend, keywords in ((group, f" {health}"), (f"{group}:fail-open", "")):
            targets = "".join(f"  server {task} {it}:80{keywords}\n" for task, it in tasks)
            text = text.replace(f"backend {backend}\n", f"backend {backend}\n{targets}")
        return text

    def addresses(self):
        """Each namespace but the router, with its address."""
        whole = f"mck-{self.bench.id}."
        serving = {it.name.split(".")[0] for it in self.bundles()}
        found = []
        for line in output("ip", "netns", "list").splitlines():
            if line.startswith(whole) and not line.startswith(f"{whole}router"):
                namespace = line.split()[0]
                part = namespace.removeprefix(whole)
                if part.startswith("task-") and part.removeprefix("task-") not in serving:
                    continue
                shown = json.loads(output("ip", "-j", "-n", namespace, "address", "show", "eth0"))
                found.append((part, shown[0]["addr_info"][0]["local"]))
        return sorted(found)

    def network(self):
        router = f"mck-{self.bench.id}.router"
        network = self.folder / "network"
        nft = lambda namespace: output("ip", "netns", "exec", namespace, "nft", "list", "ruleset")
        (network / "router.nft").write_text(nft(router))
        hosts = [f"netns add {self.prefix}router"]
        links, connect = [], []
        for part, address in self.addresses():
            name = self.name(part)
            interface = "igw" if name == "igw" else address
            hosts.append(f"netns add {self.prefix}{name}")
            links.append(f"link add {interface} type veth peer name eth0 netns {self.prefix}{name}")
            connect.append(f"address add {GATEWAY}/32 dev {interface}")
            connect.append(f"link set {interface} up")
            self.inside(name, address, nft(f"mck-{self.bench.id}.{part}"))
        routes = output("ip", "-n", router, "route", "show", "table", "all").splitlines()
        ours = [route for route in routes if not re.search(r"table local|proto kernel", route)]
        # The tables that a way out leads through come after the ways to the gateways.
        ours.sort(key=lambda route: route.startswith("default"))
        connect += [f"route add {route}" for route in ours]
        for rule in output("ip", "-n", router, "rule").splitlines():
            priority, rest = rule.split(":", 1)
            if int(priority) >= 40_000:
                connect.append(f"rule add priority {priority} {rest.strip()}")
        (network / "host.batch").write_text("\n".join(hosts) + "\n")
        (network / "links.batch").write_text("\n".join(["link set lo up", *links]) + "\n")
        (network / "connect.batch").write_text("\n".join(connect) + "\n")

    def inside(self, name, address, ruleset):
        gateway = ruleset.strip() != ""
        reaches = "172.31.0.0/16" if name == "igw" else "default"
        settings = [
            "ipv6/conf/all/disable_ipv6 1",
            "ipv4/ip_unprivileged_port_start 0",
        ]
        if gateway:
            settings += ["ipv4/ip_forward 1", "ipv4/conf/all/rp_filter 0", "ipv4/conf/eth0/rp_filter 0"]
        lines = ["cd /proc/sys/net"]
        for setting in settings:
            path, value = setting.split()
            lines.append(f"echo {value} >{path}")
        if gateway:
            rules = self.folder / "network/inside" / f"{name}.nft"
            rules.write_text(ruleset)
            lines.append(f"nft -f {rules}")
        lines += [
            "exec ip -batch - <<END",
            "link set lo up",
            f"address add {address}/32 dev eth0",
            "link set eth0 up",
            f"route add {GATEWAY} dev eth0 scope link",
            f"route add {reaches} via {GATEWAY} dev eth0",
            "END",
        ]
        (self.folder / "network/inside" / f"{name}.sh").write_text("\n".join(lines) + "\n")

    def sql(self):
        start = (self.folder / "start/task-1.php-fpm.sh").read_text()
        value = lambda key: shlex.split(re.search(rf"^export {key}=(.*)$", start, re.M)[1])[0]
        database, user, password = (value(f"MYSQL_{key}") for key in ("DATABASE", "USER", "PASSWORD"))
        accounts = {user: password, "replication": secrets.token_hex(20), "monitor": secrets.token_hex(20)}
        lines = []
        for account, secret in accounts.items():
            lines.append(f"CREATE USER '{account}'@'%' IDENTIFIED BY '{secret}';")
        lines.append(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4;")
        lines.append(f"GRANT ALL ON `{database}`.* TO '{user}'@'%';")
        lines.append("GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';")
        lines.append("GRANT PROCESS, BINLOG MONITOR, SLAVE MONITOR ON *.* TO 'monitor'@'%';")
        private(self.folder / "sql/schemas.sql", "\n".join(lines) + "\n")
        writer = dict(self.addresses())["db-0"]
        private(
            self.folder / "sql/follow.sql",
            "SET GLOBAL read_only=1; SET GLOBAL rpl_semi_sync_slave_enabled=1;\n"
            f"CHANGE MASTER TO MASTER_HOST='{writer}', MASTER_PORT=3306, MASTER_USER='replication', "
            f"MASTER_PASSWORD='{accounts['replication']}', MASTER_CONNECT_RETRY=1, "
            "MASTER_USE_GTID=slave_pos;\nSTART SLAVE;\n",
        )


def private(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
