//! The other carrier: the service manager's `NOTIFY_SOCKET`.
//!
//! # References
//! sd_notify(3), unix(7)

use crate::error::NotifyError;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{SendFlags, SocketAddrUnix, sendto};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How long a manager whose queue is full (a dozen messages) is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a service manager listens.
#[derive(Clone, Debug)]
pub struct NotifySocket {
    address: OsString,
}

impl NotifySocket {
    /// The one that this process was given, if it was.
    pub fn from_environment() -> Option<NotifySocket> {
        std::env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()).map(|address| NotifySocket { address })
    }

    /// Sends one message; waits a while for a manager that does not keep up.
    ///
    /// # Errors
    /// Nobody listens there, or nobody reads, or the address is of a kind that is not known here.
    pub fn send(&self, message: &str) -> Result<(), NotifyError> {
        self.send_within(message, Some(PATIENCE))
    }

    /// Sends one message, or leaves it if it would have to wait.
    ///
    /// # Errors
    /// As [`NotifySocket::send`].
    pub fn send_now(&self, message: &str) -> Result<(), NotifyError> {
        self.send_within(message, None)
    }

    fn send_within(&self, message: &str, patience: Option<Duration>) -> Result<(), NotifyError> {
        let sent = self.try_send(message, patience);
        let action = || format!("tell the service manager at NOTIFY_SOCKET={}", self.address.to_string_lossy());
        sent.map_err(|source| NotifyError::new(action(), source))
    }

    fn try_send(&self, message: &str, patience: Option<Duration>) -> io::Result<()> {
        let address = socket_address(&self.address)?;
        let socket = crate::sys::message_socket()?;
        let wait = match patience {
            Some(_) => SendFlags::empty(),
            None => SendFlags::DONTWAIT,
        };
        set_socket_timeout(&socket, Timeout::Send, patience)?;
        sendto(&socket, message.as_bytes(), crate::sys::QUIET | wait, &address)?;
        Ok(())
    }
}

/// The address that `NOTIFY_SOCKET` spells: a path, or `@` and an abstract name.
///
/// # Errors
/// It is neither, or longer than a socket address.
pub fn socket_address(text: &OsStr) -> io::Result<SocketAddrUnix> {
    match text.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] if !name.is_empty() => Ok(SocketAddrUnix::new_abstract_name(name)?),
        [b'/', ..] => Ok(SocketAddrUnix::new(text)?),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "it is neither a path nor an abstract name")),
    }
}
