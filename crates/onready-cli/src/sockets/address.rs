//! Where a socket listens.

use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Where a socket listens.
///
/// Written as `127.0.0.1:80`, `[::1]:80`, `0.0.0.0:80`, `unix:/path` or `unix:@name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Tcp(SocketAddr),
    /// A unix socket at a path.
    Unix(PathBuf),
    /// A unix socket with a name in the network namespace, without the leading NUL.
    Abstract(Vec<u8>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Abstract(name) => write!(f, "unix:@{}", name.escape_ascii()),
        }
    }
}

impl Address {
    /// What the kernel calls a unix socket: a path, a NUL and a name, or nothing.
    pub(super) fn from_kernel_name(name: &[u8]) -> Option<Self> {
        match name.split_first()? {
            (0, name) => Some(Self::Abstract(name.to_vec())),
            // A path's length counts the NUL that ends it.
            _ => {
                let end = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
                Some(Self::Unix(OsStr::from_bytes(&name[..end]).into()))
            }
        }
    }

    /// A relative path is relative to where the server was when it made the socket, which is most likely where it is.
    ///
    /// # References
    /// proc_pid_cwd(5)
    pub(super) fn seen_by(self, pid: i32) -> Self {
        match self {
            Self::Unix(path) if path.is_relative() => {
                let absolute = std::fs::read_link(format!("/proc/{pid}/cwd")).map(|directory| directory.join(&path));
                // It may have gone elsewhere since; then the path is better told as it is.
                Self::Unix(absolute.ok().filter(|absolute| absolute.exists()).unwrap_or(path))
            }
            other => other,
        }
    }
}

/// How well a listener at `listener` answers for `wanted`: 0 is the address itself, 1 a wildcard that takes in the
/// address, `None` not at all.
///
/// `v6_only` is the listener's. A wanted wildcard means any address of its kind: who wants to bind 0.0.0.0 is in the
/// way of every listener on that port.
pub(super) fn serves(listener: SocketAddr, v6_only: bool, wanted: SocketAddr) -> Option<u8> {
    if listener.port() != wanted.port() {
        return None;
    }
    let (theirs, ours) = (listener.ip().to_canonical(), wanted.ip().to_canonical());
    if theirs == ours {
        return Some(0);
    }
    let wild = |ip: IpAddr, dual: bool, other: IpAddr| ip.is_unspecified() && (dual || ip.is_ipv4() == other.is_ipv4());
    let dual = theirs.is_ipv6() && !v6_only;
    (wild(theirs, dual, ours) || wild(ours, ours.is_ipv6(), theirs)).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(listener: &str, v6_only: bool, wanted: &str) -> Option<u8> {
        serves(listener.parse().unwrap(), v6_only, wanted.parse().unwrap())
    }

    #[test]
    fn addresses_are_written_as_users_type_them() {
        let tcp = |text: &str| Address::Tcp(text.parse().unwrap()).to_string();
        assert_eq!(tcp("127.0.0.1:80"), "127.0.0.1:80");
        assert_eq!(tcp("[::1]:80"), "[::1]:80");
        assert_eq!(Address::Unix("/run/a b".into()).to_string(), "unix:/run/a b");
        assert_eq!(Address::Abstract(b"name\0\x01".to_vec()).to_string(), "unix:@name\\x00\\x01");
    }

    #[test]
    fn kernel_names_are_told_apart() {
        assert_eq!(Address::from_kernel_name(b"/a/b\0"), Some(Address::Unix("/a/b".into())));
        assert_eq!(Address::from_kernel_name(b"\0a\0b\0"), Some(Address::Abstract(b"a\0b\0".to_vec())));
        assert_eq!(Address::from_kernel_name(b""), None);
    }

    #[test]
    fn wildcards_serve_what_they_take_in() {
        assert_eq!(how("127.0.0.1:80", false, "127.0.0.1:80"), Some(0));
        assert_eq!(how("127.0.0.1:80", false, "127.0.0.1:81"), None);
        assert_eq!(how("127.0.0.2:80", false, "127.0.0.1:80"), None);
        assert_eq!(how("0.0.0.0:80", false, "127.0.0.1:80"), Some(1));
        assert_eq!(how("0.0.0.0:80", false, "[::1]:80"), None);
        assert_eq!(how("[::]:80", false, "127.0.0.1:80"), Some(1));
        assert_eq!(how("[::]:80", true, "127.0.0.1:80"), None);
        assert_eq!(how("[::]:80", true, "[::1]:80"), Some(1));
        assert_eq!(how("[::1]:80", false, "127.0.0.1:80"), None);
        assert_eq!(how("[::ffff:127.0.0.1]:80", false, "127.0.0.1:80"), Some(0));
        assert_eq!(how("127.0.0.1:80", false, "0.0.0.0:80"), Some(1));
        assert_eq!(how("127.0.0.1:80", false, "[::]:80"), Some(1));
        assert_eq!(how("[::1]:80", false, "0.0.0.0:80"), None);
    }
}
