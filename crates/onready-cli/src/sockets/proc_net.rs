//! The kernel's lists of sockets as text: slower than netlink (5 ms where the empty table of connections is
//! long), but there for every namespace that has a process of ours.
//!
//! # References
//! proc_pid_net(5), unix(7), Documentation/networking/proc_net_tcp.rst

use std::cell::OnceCell;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;

use super::{Address, Listener, number};

/// How `/proc/net/tcp` spells TCP_LISTEN.
const LISTENING: &[u8] = b"0A";
/// TCP_SYN_RECV: before Linux 4.4 a connection that comes in is listed with the socket it comes to.
const COMING_IN: &[u8] = b"03";
/// How `/proc/net/unix` spells a socket that listens (`__SO_ACCEPTCON`).
const ACCEPTING: &[u8] = b"00010000";

/// Whose sockets: a network namespace, by one of its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// That of the calling thread.
    Ours,
    /// That of another process.
    Of(i32),
}

impl Namespace {
    fn path(self, name: &str) -> String {
        match self {
            // Not /proc/net, which is the process's first thread's.
            Self::Ours => format!("/proc/thread-self/net/{name}"),
            Self::Of(pid) => format!("/proc/{pid}/net/{name}"),
        }
    }

    /// The lines of a list, but for its heading, until `visit` has seen enough.
    fn read(self, name: &str, mut visit: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
        let mut file = BufReader::with_capacity(16 * 1024, File::open(self.path(name))?);
        let mut line = Vec::with_capacity(256);
        file.read_until(b'\n', &mut line)?;
        loop {
            line.clear();
            if file.read_until(b'\n', &mut line)? == 0 || !visit(line.strip_suffix(b"\n").unwrap_or(&line)) {
                return Ok(());
            }
        }
    }
}

/// Our own network namespace, by device and inode of its file; asked for once, when it is needed.
///
/// # References
/// namespaces(7)
#[derive(Debug, Default)]
pub(super) struct Home(OnceCell<Option<(u64, u64)>>);

impl Home {
    /// Asks now.
    pub(super) fn know(&self) -> Option<(u64, u64)> {
        *self.0.get_or_init(|| identity("/proc/thread-self/ns/net"))
    }

    /// Whether a process is in it; also if nobody can tell.
    pub(super) fn is_of(&self, pid: i32) -> bool {
        match (self.know(), identity(&format!("/proc/{pid}/ns/net"))) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        }
    }
}

fn identity(path: &str) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Calls `visit` with every listening TCP socket, of IPv4 and IPv6.
pub(super) fn tcp(namespace: Namespace, visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
    // The kernel lists all that listen before the first that does not: of thousands of connections, few are read.
    let mut line = |line: &[u8]| {
        tcp_line(line).into_iter().for_each(&mut *visit);
        tcp_fields(line).nth(3).is_some_and(|state| state == LISTENING || state == COMING_IN)
    };
    namespace.read("tcp", &mut line)?;
    match namespace.read("tcp6", &mut line) {
        // A kernel without IPv6.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Calls `visit` with every listening unix socket that has a name.
pub(super) fn unix(namespace: Namespace, visit: &mut dyn FnMut(Listener)) -> io::Result<()> {
    namespace.read("unix", |line| {
        unix_line(line).into_iter().for_each(&mut *visit);
        true
    })
}

/// `sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ...`, if it listens.
fn tcp_line(line: &[u8]) -> Option<Listener> {
    let mut fields = tcp_fields(line);
    let address = fields.nth(1)?;
    if fields.nth(1)? != LISTENING {
        return None;
    }
    let inode = number(fields.nth(5)?)?;
    Some(Listener { inode, address: Address::Tcp(hex_address(address)?), v6_only: None, file: None })
}

fn tcp_fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b' ').filter(|field| !field.is_empty())
}

/// `0100007F:1F90`: words of four bytes as this machine reads them, then the port.
fn hex_address(text: &[u8]) -> Option<SocketAddr> {
    let (address, port) = std::str::from_utf8(text).ok()?.split_once(':')?;
    let mut bytes = [0; 16];
    for (at, group) in (0..address.len()).step_by(8).enumerate() {
        let value = u32::from_str_radix(address.get(group..group + 8)?, 16).ok()?;
        bytes.get_mut(at * 4..at * 4 + 4)?.copy_from_slice(&value.to_ne_bytes());
    }
    let address = match address.len() {
        8 => IpAddr::from(Ipv4Addr::from([bytes[0], bytes[1], bytes[2], bytes[3]])),
        32 => IpAddr::from(Ipv6Addr::from(bytes)),
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

/// `Num RefCount Protocol Flags Type St Inode Path`, if it listens. A path may hold blanks, and a name's NULs, the
/// first among them, are written as `@`.
fn unix_line(line: &[u8]) -> Option<Listener> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|&byte| byte == b' ')?;
        let (field, after) = rest.split_at(end);
        rest = &after[1..];
        Some(field)
    };
    let (_number, _references, _protocol, flags) = (field()?, field()?, field()?, field()?);
    if flags != ACCEPTING {
        return None;
    }
    let (_kind, _state, inode) = (field()?, field()?, number(field()?)?);
    let name = rest;
    let address = match name.strip_prefix(b"@") {
        Some(name) => Address::Abstract(name.to_vec()),
        None => Address::from_kernel_name(name)?,
    };
    Some(Listener { inode, address, v6_only: None, file: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_lines_are_read() {
        let line =
            b"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 42 1 0 100";
        let listener = tcp_line(line).unwrap();
        let loopback = if cfg!(target_endian = "little") { "127.0.0.1:8080" } else { "1.0.0.127:8080" };
        assert_eq!((listener.inode, listener.address.to_string().as_str()), (42, loopback));
        assert_eq!(tcp_line(&line.map(|byte| if byte == b'A' { b'1' } else { byte })), None);
        assert_eq!(tcp_line(b""), None);
        assert_eq!(hex_address(b"0100007:1F90"), None);
        assert_eq!(hex_address(b"00000000000000000000000000000000:0050"), Some("[::]:80".parse().unwrap()));
    }

    #[test]
    fn unix_lines_are_read() {
        let address = |line: &[u8]| unix_line(line).map(|listener| (listener.inode, listener.address));
        let path = b"0000000000000000: 00000002 00000000 00010000 0001 01    42 /run/a b.sock";
        assert_eq!(address(path), Some((42, Address::Unix("/run/a b.sock".into()))));
        let name = b"0000000000000000: 00000002 00000000 00010000 0005 01 4200042 @name";
        assert_eq!(address(name), Some((4_200_042, Address::Abstract(b"name".to_vec()))));
        assert_eq!(address(b"0000000000000000: 00000003 00000000 00000000 0001 03 42 /run/a.sock"), None);
        assert_eq!(address(b"0000000000000000: 00000003 00000000 00010000 0001 03 42"), None);
    }
}
