//! Reading what the kernel, `ip -json` and `nft -j` print.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Inner, MAIN, NetworkError, PolicyRule, RouteTarget, Router, RouterRoute, attachment::GATEWAY,
};

/// Reads `/proc/net/dev`, `/proc/net/fib_trie` and `/proc/net/route` of one namespace.
pub fn inner(dev: &str, fib_trie: &str, route: &str) -> Inner {
    Inner {
        interface: dev
            .lines()
            .any(|line| line.trim_start().starts_with("eth0:")),
        addresses: own_addresses(fib_trie),
        routes: route.lines().filter_map(gateway_route).collect(),
    }
}

/// The addresses marked `/32 host LOCAL`, each on the line after the address.
fn own_addresses(fib_trie: &str) -> BTreeSet<Ipv4Addr> {
    let lines: Vec<&str> = fib_trie.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[1] == "/32 host LOCAL")
        .filter_map(|pair| pair[0].strip_prefix("|-- ")?.parse().ok())
        .collect()
}

/// A line of `/proc/net/route`: interface, destination, gateway, flags, …, mask in the eighth
/// field; addresses are hexadecimal in the byte order of the machine.
fn gateway_route(line: &str) -> Option<(Ipv4Net, Ipv4Addr)> {
    let fields: Vec<&str> = line.split_ascii_whitespace().collect();
    let address = |index: usize| {
        let bits = u32::from_str_radix(fields.get(index)?, 16).ok()?;
        Some(Ipv4Addr::from(bits.to_ne_bytes()))
    };
    let net = Ipv4Net::with_netmask(address(1)?, address(7)?).ok()?;
    let gateway = address(2)?;
    (!gateway.is_unspecified()).then_some((net, gateway))
}

/// Reads what `ip -json route show table all`, `ip -json rule` and
/// `nft -j list ruleset` print in the router.
pub fn router(
    interfaces: BTreeMap<String, bool>,
    routes: &[u8],
    rules: &[u8],
    ruleset: &[u8],
) -> Result<Router, NetworkError> {
    let routes: Vec<IpRoute> = read("ip", routes)?;
    let rules: Vec<IpRule> = read("ip", rules)?;
    let (sets, comments) = nft(&read("nft", ruleset)?);
    Ok(Router {
        interfaces,
        routes: routes.into_iter().filter_map(IpRoute::into_route).collect(),
        rules: rules.into_iter().filter_map(IpRule::into_rule).collect(),
        sets,
        comments,
    })
}

fn read<'a, T: Deserialize<'a>>(program: &'static str, json: &'a [u8]) -> Result<T, NetworkError> {
    // Older versions of `ip` print nothing at all for an empty list.
    let json = if json.trim_ascii().is_empty() {
        b"[]"
    } else {
        json
    };
    serde_json::from_slice(json).map_err(|source| NetworkError::Format { program, source })
}

#[derive(Deserialize)]
struct IpLink {
    ifname: String,
    operstate: String,
    #[serde(default)]
    addr_info: Vec<IpAddress>,
}

#[derive(Deserialize)]
struct IpAddress {
    local: Option<String>,
}

/// Reads what `ip -json address` prints: interfaces but the loopback, and whether each is
/// connected.
pub fn interfaces(json: &[u8]) -> Result<BTreeMap<String, bool>, NetworkError> {
    let links: Vec<IpLink> = read("ip", json)?;
    let gateway = GATEWAY.to_string();
    let connected = |link: &IpLink| {
        let has_gateway = link
            .addr_info
            .iter()
            .any(|address| address.local.as_deref() == Some(&gateway));
        link.operstate == "UP" && has_gateway
    };
    Ok(links
        .into_iter()
        .filter(|link| link.ifname != "lo")
        .map(|link| (link.ifname.clone(), connected(&link)))
        .collect())
}

#[derive(Deserialize)]
struct IpRoute {
    #[serde(rename = "type")]
    kind: Option<String>,
    dst: String,
    gateway: Option<Ipv4Addr>,
    dev: Option<String>,
    table: Option<String>,
    protocol: Option<String>,
}

impl IpRoute {
    /// None for the kernel's own routes and for kinds that we never make.
    fn into_route(self) -> Option<RouterRoute> {
        let table = match self.table.as_deref() {
            None | Some("main") => MAIN,
            Some(table) => table.parse().ok()?,
        };
        let target = match (self.kind.as_deref(), self.gateway, self.dev) {
            (Some("blackhole"), ..) => RouteTarget::Blackhole,
            (None, Some(address), Some(interface)) => RouteTarget::Gateway { address, interface },
            (None, None, Some(interface)) => RouteTarget::Interface(interface),
            _ => return None,
        };
        let kernel = self.protocol.as_deref() == Some("kernel");
        let destination = net(&self.dst)?;
        (!kernel).then_some(RouterRoute {
            table,
            destination,
            target,
        })
    }
}

/// A destination as `ip` prints it.
fn net(text: &str) -> Option<Ipv4Net> {
    match text {
        "default" => Some(Ipv4Net::default()),
        _ => text
            .parse()
            .ok()
            .or_else(|| text.parse::<Ipv4Addr>().ok().map(Ipv4Net::from)),
    }
}

#[derive(Deserialize)]
struct IpRule {
    priority: u32,
    src: String,
    srclen: Option<u8>,
    table: Option<String>,
    action: Option<String>,
}

impl IpRule {
    /// None for the kernel's own rules (`local`, `main`, `default`).
    fn into_rule(self) -> Option<PolicyRule> {
        let from = match self.src.as_str() {
            "all" => None,
            address => Some(Ipv4Net::new(address.parse().ok()?, self.srclen.unwrap_or(32)).ok()?),
        };
        let table = match (self.table.as_deref(), self.action.as_deref()) {
            (None, Some("blackhole")) => None,
            (Some(table), None) => Some(table.parse().ok()?),
            _ => return None,
        };
        Some(PolicyRule {
            priority: self.priority,
            from,
            table,
        })
    }
}

/// The sets and the rules' comments of our table.
fn nft(listing: &Value) -> (BTreeMap<String, BTreeSet<String>>, Vec<String>) {
    let mut sets = BTreeMap::new();
    let mut comments = Vec::new();
    let objects = listing
        .get("nftables")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    for object in objects {
        if let Some(set) = object.get("set").filter(|set| text(set, "table") == "mck") {
            let elements = set.get("elem").and_then(Value::as_array);
            let elements = elements.into_iter().flatten().map(element).collect();
            sets.insert(text(set, "name"), elements);
        }
        if let Some(rule) = object
            .get("rule")
            .filter(|rule| text(rule, "table") == "mck")
        {
            comments.push(text(rule, "comment"));
        }
    }
    (sets, comments)
}

/// An element as nftables prints it outside of JSON.
fn element(value: &Value) -> String {
    let prefix = value.get("prefix");
    let part = |key: &str| prefix.and_then(|prefix| prefix.get(key));
    match (value, part("addr").and_then(Value::as_str), part("len")) {
        (Value::String(address), ..) => address.clone(),
        (_, Some(address), Some(length)) => format!("{address}/{length}"),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "Inter-|   Receive\n face |bytes\n    lo:       0 0\n  eth0:     936 12\n";
    const FIB_TRIE: &str = "\
Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 169.254.1.1
        /32 link UNICAST
Local:
  +-- 0.0.0.0/0 2 0 2
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 172.31.6.10
        /32 host LOCAL
";
    const ROUTE: &str = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101FEA9\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t0101FEA9\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_files_of_a_namespace() {
        let seen = inner(DEV, FIB_TRIE, ROUTE);
        assert!(seen.interface);
        let addresses = ["127.0.0.1", "172.31.6.10"].map(|text| text.parse().unwrap());
        assert_eq!(seen.addresses, BTreeSet::from(addresses));
        assert_eq!(seen.routes, BTreeSet::from([(Ipv4Net::default(), GATEWAY)]));
        assert_eq!(inner("", "", ""), Inner::default());
    }

    #[test]
    fn what_the_router_prints() {
        let addresses = br#"[
            {"ifname":"lo","operstate":"UNKNOWN","addr_info":[]},
            {"ifname":"172.31.0.5","operstate":"UP","addr_info":[{"local":"169.254.1.1"}]},
            {"ifname":"172.31.0.6","operstate":"UP","addr_info":[]},
            {"ifname":"igw","operstate":"LOWERLAYERDOWN","addr_info":[{"local":"169.254.1.1"}]}]"#;
        let routes = br#"[
            {"dst":"default","gateway":"169.254.2.2","dev":"igw","table":"100","flags":["onlink"]},
            {"type":"blackhole","dst":"172.31.0.0/16","flags":[]},
            {"dst":"172.31.0.5","dev":"172.31.0.5","scope":"link","flags":[]},
            {"type":"local","dst":"169.254.1.1","dev":"igw","table":"local","protocol":"kernel"}]"#;
        let rules = br#"[
            {"priority":0,"src":"all","table":"local"},
            {"priority":32766,"src":"all","table":"main"},
            {"priority":40000,"src":"172.31.0.0","srclen":24,"table":"100"},
            {"priority":40001,"src":"172.31.0.2","table":"100"},
            {"priority":50000,"src":"all","action":"blackhole"}]"#;
        let ruleset = br#"{"nftables":[
            {"metainfo":{"version":"1.0.6"}},
            {"table":{"family":"inet","name":"mck","handle":2}},
            {"set":{"name":"vpc","table":"mck","elem":["10.0.0.1",{"prefix":{"addr":"172.31.0.0","len":16}}]}},
            {"set":{"name":"isolated","table":"mck"}},
            {"set":{"name":"other","table":"theirs"}},
            {"rule":{"table":"mck","chain":"forward","comment":"first"}},
            {"rule":{"table":"mck","chain":"forward"}}]}"#;
        let seen = router(interfaces(addresses).unwrap(), routes, rules, ruleset).unwrap();
        let interfaces = [("172.31.0.5", true), ("172.31.0.6", false), ("igw", false)];
        assert_eq!(
            seen.interfaces,
            interfaces.map(|(name, up)| (name.to_owned(), up)).into()
        );
        let routes: Vec<String> = seen.routes.iter().map(RouterRoute::to_string).collect();
        assert_eq!(
            routes,
            [
                "0.0.0.0/0 via 169.254.2.2 dev igw onlink table 100",
                "blackhole 172.31.0.0/16 table 254",
                "172.31.0.5/32 dev 172.31.0.5 scope link table 254",
            ]
        );
        let rules: Vec<String> = seen.rules.iter().map(PolicyRule::to_string).collect();
        assert_eq!(
            rules,
            [
                "priority 40000 from 172.31.0.0/24 lookup 100",
                "priority 40001 from 172.31.0.2/32 lookup 100",
                "priority 50000 from all blackhole",
            ]
        );
        assert_eq!(seen.sets.len(), 2);
        assert_eq!(
            seen.sets["vpc"],
            ["10.0.0.1", "172.31.0.0/16"].map(str::to_owned).into()
        );
        assert_eq!(seen.comments, ["first", ""]);
    }

    #[test]
    fn nothing_and_nonsense() {
        let empty = br#"{"nftables":[]}"#;
        assert_eq!(
            router(interfaces(b"").unwrap(), b"\n", b"[]", empty).unwrap(),
            Router::default()
        );
        assert!(router(BTreeMap::new(), b"<html>", b"", empty).is_err());
    }
}
