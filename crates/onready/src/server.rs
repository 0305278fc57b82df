//! The server's half: say how it is getting on, and at last that it is ready.

use crate::channel::ServerEnd;
use crate::error::NotifyError;
use crate::launch::Launch;
use crate::message::Field;
use crate::notify_socket::NotifySocket;
use crate::privileges::Credentials;
use rustix::fs::{Mode, OFlags};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// What of a status text is sent; a terminal line is far shorter.
const LONGEST_STATUS: usize = 4096;

/// A server that is starting. Say [`Ready::notify`] when it serves; from whatever thread.
///
/// ```
/// # fn main() -> Result<(), onready::NotifyError> {
/// let ready = onready::Launch::default().enter();
/// ready.status("opening the database")?;
/// // ...
/// ready.notify()
/// # }
/// ```
///
/// If it is dropped without `notify`, in the background, the launcher takes that as "will never be ready": it waits
/// for the exit code of the process, and if the process lives on, stops it and exits with 125.
#[derive(Debug)]
#[must_use = "dropping it tells the launcher that this server will never be ready"]
pub struct Ready {
    launch: Launch,
    end: Option<ServerEnd>,
    manager: Option<NotifySocket>,
}

impl Ready {
    pub(crate) fn in_foreground(launch: Launch) -> Ready {
        Ready::new(launch, None)
    }

    fn new(launch: Launch, end: Option<ServerEnd>) -> Ready {
        Ready { launch, end, manager: NotifySocket::from_environment() }
    }

    pub(crate) fn in_background(launch: Launch, end: ServerEnd) -> Ready {
        if let Some(mask) = launch.settings.umask {
            rustix::process::umask(Mode::from_raw_mode(mask as _));
        }
        Ready::new(launch, Some(end))
    }

    /// Whether this process runs in the background, started by a launcher.
    ///
    /// ```
    /// let ready = onready::Launch::default().enter();
    /// if !ready.is_daemon() {
    ///     println!("press Ctrl-C to end it");
    /// }
    /// # ready.notify().unwrap();
    /// ```
    pub fn is_daemon(&self) -> bool {
        self.end.is_some()
    }

    /// Says in one line what the server is doing: a waiting launcher shows it on a terminal, and tells it when the
    /// start fails; a service manager shows it as the unit's status.
    ///
    /// ```
    /// # fn main() -> Result<(), onready::NotifyError> {
    /// let ready = onready::Launch::default().enter();
    /// ready.status("loading 3 of 12 tables")?;
    /// # ready.notify()
    /// # }
    /// ```
    ///
    /// # Errors
    /// The launcher, or in the foreground the service manager, cannot be reached.
    pub fn status(&self, text: &str) -> Result<(), NotifyError> {
        let cut = text.char_indices().map(|(at, _)| at).take_while(|&at| at <= LONGEST_STATUS).last().unwrap_or(0);
        let text = if text.len() > LONGEST_STATUS { &text[..cut] } else { text };
        self.say(&Field::Status(text.into()))
    }

    /// Asks for time: the launcher's deadline is at least this far away from now. No effect where there is none.
    ///
    /// ```
    /// # fn main() -> Result<(), onready::NotifyError> {
    /// let ready = onready::Launch::default().enter();
    /// ready.extend_timeout(std::time::Duration::from_secs(600))?; // the log has to be replayed
    /// # ready.notify()
    /// # }
    /// ```
    ///
    /// # Errors
    /// The launcher, or in the foreground the service manager, cannot be reached.
    pub fn extend_timeout(&self, by: Duration) -> Result<(), NotifyError> {
        self.say(&Field::ExtendTimeout(by))
    }

    /// To the one who waits: the launcher if there is one. A service manager hears it too, but cannot fail a start
    /// that a launcher waits for: the variable may be left over from the session that the caller lives in.
    fn say(&self, field: &Field<'_>) -> Result<(), NotifyError> {
        let line = field.line();
        match (&self.end, &self.manager) {
            (Some(end), manager) => {
                let _ = manager.as_ref().map(|manager| manager.send_now(&line));
                end.say(&line).map_err(|source| NotifyError::new("tell the launcher", source))
            }
            (None, manager) => manager.as_ref().map_or(Ok(()), |manager| manager.send(&line)),
        }
    }

    /// Says that the server is ready. In the background, everything that was the caller's is let go of before:
    /// output is flushed and handed over, stdin becomes `/dev/null`, stdout and stderr the log (or `/dev/null`), the
    /// directory changes, privileges are dropped. A service manager (`NOTIFY_SOCKET`) is told as well, in the
    /// foreground too.
    ///
    /// Processes that the server has started before still hold the streams of that time: start them afterwards, or
    /// give them streams of their own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let ready = onready::Launch::default().enter();
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// ready.notify()?; // who connects now is served
    /// # drop(listener);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Something that was asked for cannot be had; the server must end then, and the launcher reports its exit code.
    ///
    /// # References
    /// sd_notify(3)
    pub fn notify(mut self) -> Result<(), NotifyError> {
        match self.end.take() {
            Some(end) => {
                self.detach(&end).inspect_err(|_| abandon(&end))?;
                end.let_go();
                Ok(())
            }
            None => self.drop_privileges_of_root(),
        }
    }

    fn detach(&self, end: &ServerEnd) -> Result<(), NotifyError> {
        let null = null()?;
        flush_output();
        let directory = self.launch.settings.working_directory.as_deref().unwrap_or("/".as_ref());
        rustix::process::chdir(directory)
            .map_err(|error| NotifyError::new(format!("change to the directory {}", directory.display()), error))?;
        self.drop_privileges()?;
        let lost = |source| NotifyError::new("tell the launcher", source);
        let output = match &end.log {
            Some(log) => {
                end.flush().map_err(lost)?;
                log.as_fd()
            }
            None => null.as_fd(),
        };
        let replaced = rustix::stdio::dup2_stdin(&null)
            .and_then(|()| rustix::stdio::dup2_stdout(output))
            .and_then(|()| rustix::stdio::dup2_stderr(output));
        replaced.map_err(|error| NotifyError::new("replace stdin, stdout and stderr", error))?;
        drop(null);
        let _ = self.tell_manager();
        end.say(&Field::Ready.line()).map_err(lost)
    }

    fn drop_privileges_of_root(&self) -> Result<(), NotifyError> {
        if rustix::process::geteuid().is_root() {
            self.drop_privileges()?;
        }
        self.tell_manager()
    }

    fn drop_privileges(&self) -> Result<(), NotifyError> {
        let (user, group) = (self.launch.settings.user.as_deref(), self.launch.settings.group.as_deref());
        let action = || format!("become user {}, group {}", user.unwrap_or("(the same)"), group.unwrap_or("(its own)"));
        Credentials::look_up(user, group)
            .map_err(io::Error::other)
            .and_then(|credentials| credentials.assume())
            .map_err(|source| NotifyError::new(action(), source))
    }

    fn tell_manager(&self) -> Result<(), NotifyError> {
        let Some(manager) = &self.manager else { return Ok(()) };
        let pid = std::process::id() as i32;
        manager.send(&format!("{}{}", Field::Ready.line(), Field::MainPid(pid).line()))
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.end.iter().for_each(abandon);
    }
}

/// In words, because the end of the channel is not seen while a forked child holds a copy.
fn abandon(end: &ServerEnd) {
    let _ = end.say(&Field::Abandoned.line());
}

fn null() -> Result<OwnedFd, NotifyError> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| NotifyError::new("open /dev/null", error))
}

/// Rust's stdout keeps half a line back, C's whatever it likes.
fn flush_output() {
    let _ = io::stdout().flush();
    let _ = io::stderr().flush();
    crate::sys::flush_c_streams();
}
