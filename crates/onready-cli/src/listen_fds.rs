//! `--listen`: bind before the start and hand over, so that no client is ever refused and a privileged port needs no
//! privileged server.
//!
//! # References
//! sd_listen_fds(3)

use onready::engine::accounts;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// A socket to be handed over.
pub struct Handed {
    /// The listening socket.
    pub socket: OwnedFd,
    /// What `LISTEN_FDNAMES` calls it.
    pub name: String,
}

/// Binds `[NAME=]ADDR`: `[HOST:]PORT` or a path.
///
/// # Errors
/// The address cannot be bound; the message names it.
pub fn bind(text: &str) -> Result<Handed, String> {
    let (name, address) = match text.split_once('=') {
        Some((name, address)) if !name.is_empty() && !name.contains(['/', ':']) => (name, address),
        _ => ("unknown", text),
    };
    let socket = if address.contains('/') { unix(Path::new(address)) } else { tcp(address) };
    let failed = |why: String| format!("cannot listen on {address}: {why}");
    Ok(Handed { socket: socket.map_err(failed)?, name: name.into() })
}

fn tcp(address: &str) -> Result<OwnedFd, String> {
    let whole = if address.contains(':') { address.to_owned() } else { format!("0.0.0.0:{address}") };
    let named = || whole.rsplit_once(':').and_then(|(host, port)| accounts::host(host, port.parse().ok()?).ok());
    let found = whole.parse().map(|address| vec![address]).ok().or_else(named);
    let found = found.ok_or("it is no address; write [HOST:]PORT, or a path with a slash")?;
    TcpListener::bind(&found[..]).map(OwnedFd::from).map_err(|error| error.to_string())
}

/// A path whose owner is dead is taken over; one that is served is not.
fn unix(path: &Path) -> Result<OwnedFd, String> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|stat| stat.file_type().is_socket());
    let is_dead =
        || UnixStream::connect(path).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
    if is_socket && is_dead() {
        let _ = std::fs::remove_file(path);
    }
    UnixListener::bind(path).map(OwnedFd::from).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names() {
        assert_eq!(bind("web=127.0.0.1:0").map(|handed| handed.name), Ok("web".into()));
        assert_eq!(bind("127.0.0.1:0").map(|handed| handed.name), Ok("unknown".into()));
        assert_eq!(bind("0").map(|handed| handed.name), Ok("unknown".into()));
        for wrong in ["nonsense", "127.0.0.1:99999", "/nonexistent/folder/s"] {
            assert!(bind(wrong).is_err_and(|why| why.contains(wrong)), "{wrong}");
        }
    }
}
