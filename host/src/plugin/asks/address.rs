//! Which network addresses an exchange may reach, and the resolver that holds every connection to it.
//!
//! Not here: which hosts a plugin was granted (`grants`); both checks must pass.

use crate::limits;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    /// Loopback and private networks: open only to what the operator lists.
    Private,
    /// Link-local, cloud metadata, unspecified, multicast: never.
    Never,
}

/// `KNOWHOST_PRIVATE_HOSTS`: names, addresses and networks whose private addresses are open.
#[derive(Clone, Debug, Default)]
pub(in crate::plugin) struct PrivateHosts {
    names: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl PrivateHosts {
    pub(in crate::plugin) fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Self> {
        let mut hosts = Self::default();
        for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
            let (address, bits) = match entry.split_once('/') {
                Some((address, bits)) => (address, Some(bits)),
                None => (entry, None),
            };
            match (address.trim_matches(['[', ']']).parse::<IpAddr>(), bits) {
                (Ok(ip), bits) => {
                    let width = if ip.is_ipv4() { 32 } else { 128 };
                    let bits = bits.map_or(Ok(width), str::parse::<u8>).ok().filter(|bits| *bits <= width);
                    let bits = bits.ok_or_else(|| anyhow::anyhow!("\"{entry}\" is no network: write 10.0.0.0/8 or fd00::/8"))?;
                    hosts.networks.push((ip, bits));
                }
                (Err(_), None) if url::Host::parse(entry).is_ok() => hosts.names.push(normal_name(entry)),
                (Err(_), _) => anyhow::bail!("\"{entry}\" is neither a host name, an address nor a network such as 10.0.0.0/8"),
            }
        }
        Ok(hosts)
    }

    /// The same, and everything on this machine.
    pub(super) fn with_loopback(&self) -> Self {
        let mut hosts = self.clone();
        hosts.names.push("localhost".to_owned());
        hosts.networks.push((IpAddr::V4(Ipv4Addr::LOCALHOST), 8));
        hosts.networks.push((IpAddr::V6(Ipv6Addr::LOCALHOST), 128));
        hosts
    }

    fn lists_name(&self, name: &str) -> bool {
        self.names.contains(&normal_name(name))
    }

    fn lists_address(&self, ip: IpAddr) -> bool {
        self.networks.iter().any(|(network, bits)| in_network(ip, *network, *bits))
    }
}

fn normal_name(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |ip: u128, network: u128, width: u32| {
        let drop = width - u32::from(bits).min(width);
        drop >= width || ip >> drop == network >> drop
    };
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => same(u128::from(u32::from(ip)), u128::from(u32::from(network)), 32),
        (IpAddr::V6(ip), IpAddr::V6(network)) => same(u128::from(ip), u128::from(network), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// The IPv4 address inside an IPv6 one, where packets to it end up at that IPv4 address.
fn unwrapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let segments = v6.segments();
    let last = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Mapped and translated (RFC 4291, 6052), then 6to4 (RFC 3056); the old compatible form only beyond ::1.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => last(high, low),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => last(high, low),
        [0x2002, high, low, ..] => last(high, low),
        _ => ip,
    }
}

fn reach(ip: IpAddr) -> Reach {
    match unwrapped(ip) {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    /// Metadata services outside the link-local range.
    const METADATA: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
    let [a, b, ..] = ip.octets();
    if a == 0 || ip.is_link_local() || ip.is_multicast() || a >= 240 || METADATA.contains(&ip) {
        Reach::Never
    } else if ip.is_loopback() || ip.is_private() || (a == 100 && (64..128).contains(&b)) || (a == 198 && (b == 18 || b == 19)) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    let first = ip.segments()[0];
    if ip.is_unspecified() || ip.is_multicast() || first & 0xffc0 == 0xfe80 || ip == METADATA {
        Reach::Never
    } else if ip.is_loopback() || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
        Reach::Private
    } else {
        Reach::Public
    }
}

/// Resolves a name once, keeps only addresses that are open, and hands those to the connection: no second look-up can differ from the checked one.
pub(in crate::plugin) struct Addresses {
    private: PrivateHosts,
    kept: Mutex<HashMap<String, (Instant, Vec<IpAddr>)>>,
}

impl Addresses {
    pub(in crate::plugin) fn new(private: PrivateHosts) -> Arc<Self> {
        Arc::new(Self { private, kept: Mutex::default() })
    }

    /// The addresses of `host` that are open, or why none is. `private_only`: only those which the operator listed as private.
    pub(super) async fn open(&self, host: &str, private_only: bool) -> Result<Vec<IpAddr>, Closed> {
        let all = self.resolve(host).await?;
        let listed = self.private.lists_name(host);
        let open: Vec<IpAddr> = all.iter().copied().filter(|ip| self.is_open(*ip, listed, private_only)).collect();
        if open.is_empty() { Err(Closed::Refused(refusal(host, &all, private_only))) } else { Ok(open) }
    }

    fn is_open(&self, ip: IpAddr, name_listed: bool, private_only: bool) -> bool {
        match reach(ip) {
            Reach::Never => false,
            Reach::Private => name_listed || self.private.lists_address(ip) || self.private.lists_address(unwrapped(ip)),
            Reach::Public => !private_only || name_listed || self.private.lists_address(ip),
        }
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Closed> {
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(vec![ip]);
        }
        let name = normal_name(host);
        if let Some((at, ips)) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&name)
            && at.elapsed() < limits::PLUGIN_NAME_KEPT
        {
            return Ok(ips.clone());
        }
        let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(|error| Closed::Unknown(format!("{host}: {error}")))?;
        let ips: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if ips.is_empty() {
            return Err(Closed::Unknown(format!("{host} has no address")));
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= limits::PLUGIN_NAMES_KEPT_MAX {
            kept.clear();
        }
        kept.insert(name, (Instant::now(), ips.clone()));
        Ok(ips)
    }
}

/// Hosts of models that plugins may not reach, and how an operator opens them.
pub struct ClosedModels {
    /// Separated by commas.
    pub hosts: String,
    /// `KNOWHOST_PRIVATE_HOSTS=...` with them and with what is listed already, to be pasted.
    pub setting: String,
}

/// Looks at the addresses of models; `None`: all can be reached, as far as is known. What is no address is left out.
///
/// # Errors
/// When an entry of `listed` is neither a name, an address nor a network.
pub async fn closed_models<'a>(listed: &[String], base_urls: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Option<ClosedModels>> {
    let host = |base_url: &str| url::Url::parse(base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let hosts: Vec<String> = base_urls.into_iter().filter_map(host).collect();
    let refused = refused_hosts(listed, &hosts).await?;
    Ok((!refused.is_empty()).then(|| {
        let all: Vec<&str> = listed.iter().chain(&refused).map(String::as_str).collect();
        ClosedModels { hosts: refused.join(", "), setting: format!("KNOWHOST_PRIVATE_HOSTS={}", all.join(",")) }
    }))
}

/// Those of `hosts` that a model of the data folder's own tenant could not be reached at: private addresses that the operator did not list.
/// Names that can not be resolved now are left out, because nothing is known about them.
///
/// # Errors
/// When an entry of `listed` is neither a name, an address nor a network.
async fn refused_hosts(listed: &[String], hosts: &[String]) -> anyhow::Result<Vec<String>> {
    let addresses = Addresses::new(PrivateHosts::parse(listed.iter().map(String::as_str))?.with_loopback());
    let mut refused = Vec::new();
    for host in hosts {
        if matches!(addresses.open(host, false).await, Err(Closed::Refused(_))) && !refused.contains(host) {
            refused.push(host.clone());
        }
    }
    Ok(refused)
}

/// Why a host can not be reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Closed {
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Unknown(String),
}

fn refusal(host: &str, ips: &[IpAddr], private_only: bool) -> String {
    let list = ips.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    let what = if list == host.trim_matches(['[', ']']) { list } else { format!("{host} ({list})") };
    if ips.iter().all(|ip| reach(*ip) == Reach::Never) {
        format!("{what} is a link-local, metadata or special address, which no setting opens")
    } else if private_only {
        format!("a secret is not sent over plain http to {what}: use https, or let the operator add {host} to KNOWHOST_PRIVATE_HOSTS")
    } else {
        format!("{what} is a loopback or private address: the operator opens it by adding {host} to KNOWHOST_PRIVATE_HOSTS")
    }
}

/// [`Addresses`] as the HTTP client wants it.
pub(super) struct Door {
    pub(super) addresses: Arc<Addresses>,
    pub(super) private_only: bool,
}

impl Resolve for Door {
    fn resolve(&self, name: Name) -> Resolving {
        let (addresses, private_only) = (self.addresses.clone(), self.private_only);
        Box::pin(async move {
            let open = addresses.open(name.as_str(), private_only).await?;
            Ok(Box::new(open.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(private: &[&str]) -> Arc<Addresses> {
        Addresses::new(PrivateHosts::parse(private.iter().copied()).unwrap())
    }

    #[tokio::test]
    async fn private_and_loopback_are_closed_unless_listed() {
        for (host, entry) in [("127.0.0.1", "127.0.0.0/8"), ("10.1.2.3", "10.0.0.0/8"), ("192.168.1.1", "192.168.1.1"), ("[::1]", "::1")] {
            let closed = addresses(&[]).open(host, false).await.unwrap_err();
            assert!(closed.to_string().contains("KNOWHOST_PRIVATE_HOSTS"), "{closed}");
            assert!(addresses(&[entry]).open(host, false).await.is_ok(), "{host} by {entry}");
        }
        assert!(addresses(&[]).open("::ffff:10.0.0.1", false).await.is_err());
        assert!(addresses(&["10.0.0.0/8"]).open("::ffff:10.0.0.1", false).await.is_ok());
        assert!(addresses(&[]).open("fd12::1", false).await.is_err());
        assert!(addresses(&["10.0.0.0/8"]).open("11.0.0.1", true).await.is_err());
    }

    #[tokio::test]
    async fn link_local_and_metadata_are_never_open() {
        let everything = addresses(&["0.0.0.0/0", "::/0"]);
        for host in [
            "169.254.169.254",
            "[fe80::1]",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "::",
            "224.0.0.1",
            "255.255.255.255",
        ] {
            let closed = everything.open(host, false).await.unwrap_err();
            assert!(closed.to_string().contains("which no setting opens"), "{host}: {closed}");
        }
    }

    #[tokio::test]
    async fn listed_name_opens_its_private_addresses_and_no_other_names() {
        let open = addresses(&["localhost"]);
        assert!(open.open("localhost", false).await.is_ok() && open.open("LocalHost.", true).await.is_ok());
        assert!(open.open("127.0.0.1", false).await.is_err());
        assert!(addresses(&[]).open("localhost", false).await.is_err());
    }

    #[tokio::test]
    async fn name_that_points_inside_at_a_later_look_up_is_not_connected_to() {
        let addresses = addresses(&[]);
        let door = Door { addresses: addresses.clone(), private_only: false };
        let look_up = |ips: &[&str]| {
            let ips = ips.iter().map(|ip| ip.parse().unwrap()).collect();
            addresses.kept.lock().unwrap().insert("rebind.example".into(), (Instant::now(), ips));
        };
        let connects_to = || async {
            let found = door.resolve("rebind.example".parse().unwrap()).await.map_err(|error| error.to_string())?;
            Ok::<_, String>(found.map(|address| address.ip().to_string()).collect::<Vec<_>>())
        };
        look_up(&["93.184.216.34"]);
        assert!(addresses.open("rebind.example", false).await.is_ok(), "checked");
        assert_eq!(connects_to().await.unwrap(), ["93.184.216.34"], "the connection goes to what was checked");
        look_up(&["127.0.0.1"]);
        assert!(connects_to().await.unwrap_err().contains("KNOWHOST_PRIVATE_HOSTS"), "checked again with each connection");
        look_up(&["169.254.169.254", "93.184.216.34", "10.0.0.1"]);
        assert_eq!(connects_to().await.unwrap(), ["93.184.216.34"]);
    }

    #[tokio::test]
    async fn public_addresses_are_open_but_not_for_a_secret_over_plain_http() {
        assert!(addresses(&[]).open("93.184.216.34", false).await.is_ok());
        let closed = addresses(&[]).open("93.184.216.34", true).await.unwrap_err();
        assert!(closed.to_string().contains("plain http"), "{closed}");
    }

    #[tokio::test]
    async fn hosts_that_a_model_could_not_be_reached_at_are_named_once() {
        let hosts = ["10.1.2.3", "127.0.0.1", "10.1.2.3", "192.0.2.1", "192.168.7.1"].map(str::to_owned);
        assert_eq!(refused_hosts(&[], &hosts).await.unwrap(), ["10.1.2.3", "192.168.7.1"]);
        assert_eq!(refused_hosts(&["10.0.0.0/8".to_owned()], &hosts).await.unwrap(), ["192.168.7.1"]);
        assert!(refused_hosts(&["10.0.0.0/99".to_owned()], &hosts).await.is_err());
    }

    #[test]
    fn malformed_entries_are_refused() {
        for bad in ["10.0.0.0/33", "10.0.0.0/x", "host/8", "a b", "fd00::/129"] {
            assert!(PrivateHosts::parse([bad]).is_err(), "{bad}");
        }
        assert!(PrivateHosts::parse(["", " localhost ", "10.0.0.0/8"]).is_ok());
    }
}
