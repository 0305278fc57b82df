//! Why a start failed, in the caller's words: every message names what it is about.

use crate::machine::End;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A start that did not end in a ready server. Nothing of the server is left running.
///
/// Its text completes "NAME: ...", names what it is about, and holds the server's last status, if there was one:
/// `the server exited with code 3 before it was ready; its last status was "opening the database"`.
///
/// ```
/// use onready::StartError;
///
/// fn advice(error: &StartError) -> &'static str {
///     match error {
///         StartError::AlreadyRunning { .. } => "stop the other one first",
///         StartError::TimedOut { .. } => "give it more time",
///         _ => "see what it printed",
///     }
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The server could not be executed.
    #[non_exhaustive]
    Spawn {
        /// The file that was to be executed.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended before it was ready.
    #[non_exhaustive]
    Exited {
        /// Its exit code; `None` if it was killed.
        code: Option<u8>,
        /// The signal that killed it.
        signal: Option<i32>,
        /// Whether it left a core dump.
        core_dumped: bool,
        /// What it said last about what it did.
        status: Option<String>,
    },
    /// The server was not ready in time, and was stopped.
    #[non_exhaustive]
    TimedOut {
        /// How long it had.
        after: Duration,
        /// What it said last about what it did.
        status: Option<String>,
    },
    /// The server dropped its [`Ready`](crate::Ready) without `notify` and lived on; it was stopped.
    #[non_exhaustive]
    Abandoned {
        /// What it said last about what it did.
        status: Option<String>,
    },
    /// Another instance holds the pid file.
    #[non_exhaustive]
    AlreadyRunning {
        /// Its pid, if it could be read.
        pid: Option<i32>,
        /// The pid file.
        path: PathBuf,
    },
    /// The launcher was asked to give up while it waited; the server was stopped.
    #[non_exhaustive]
    Interrupted {
        /// The signal that asked for it.
        signal: i32,
    },
    /// Another program was to start a server (see [`Start`](crate::Start)), or a server with a name was to be started,
    /// and it did not come to that.
    #[non_exhaustive]
    Failed {
        /// The exit code: that program's own, or one of those of [`StartError::exit_code`].
        code: u8,
        /// What happened, with the end of what the program printed.
        message: String,
    },
    /// Something that had to be prepared could not be.
    #[non_exhaustive]
    Io {
        /// What was to be done, and with what: "open the log /var/log/x".
        action: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Exit codes; the table is in the manual, section "Exit codes".
pub mod exit_code {
    /// Already running, where that is an error.
    pub const ALREADY_RUNNING: u8 = 69;
    /// Not ready in time.
    pub const TIMED_OUT: u8 = 124;
    /// The launcher itself failed, or the server was never ready and did not say why.
    pub const FAILED: u8 = 125;
    /// The program cannot be executed.
    pub const CANNOT_EXECUTE: u8 = 126;
    /// The program is not found.
    pub const NOT_FOUND: u8 = 127;
    /// Killed by signal n: this plus n.
    pub const SIGNAL: u8 = 128;

    /// The code for a death by this signal.
    pub fn of_signal(signal: i32) -> u8 {
        SIGNAL.saturating_add(u8::try_from(signal).unwrap_or(u8::MAX))
    }

    /// The code for a program that could not be executed.
    pub fn of_exec(error: &std::io::Error) -> u8 {
        match error.kind() {
            std::io::ErrorKind::NotFound => NOT_FOUND,
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::IsADirectory => CANNOT_EXECUTE,
            _ if error.raw_os_error() == Some(libc::ENOEXEC) => CANNOT_EXECUTE,
            _ => FAILED,
        }
    }
}

impl StartError {
    /// The exit code that tells a shell what happened: the server's own, 128+n for signal n, 124 for a time-out,
    /// 69 for "already running", 126 and 127 for a program that cannot be executed, else 125.
    ///
    /// ```
    /// use onready::{Launch, StartError};
    /// # fn show(error: StartError) {
    /// eprintln!("{error}");
    /// std::process::exit(error.exit_code().into());
    /// # }
    /// ```
    pub fn exit_code(&self) -> u8 {
        match self {
            StartError::Exited { code: Some(code @ 1..), .. } => *code,
            StartError::Exited { signal: Some(signal), .. } => exit_code::of_signal(*signal),
            StartError::Interrupted { signal } => exit_code::of_signal(*signal),
            StartError::TimedOut { .. } => exit_code::TIMED_OUT,
            StartError::AlreadyRunning { .. } => exit_code::ALREADY_RUNNING,
            StartError::Spawn { source, .. } => exit_code::of_exec(source),
            StartError::Failed { code, .. } => *code,
            StartError::Exited { .. } | StartError::Abandoned { .. } | StartError::Io { .. } => exit_code::FAILED,
        }
    }

    pub(crate) fn exited(end: End, status: Option<String>) -> StartError {
        let (code, signal, core_dumped) = match end {
            End::Code(code) => (Some(code), None, false),
            End::Signal { signal, core } => (None, Some(signal), core),
            End::Unknown => (None, None, false),
        };
        StartError::Exited { code, signal, core_dumped, status }
    }

    /// Another instance, of this pid, is named in this file.
    #[doc(hidden)]
    pub fn already_running(pid: Option<i32>, path: PathBuf) -> StartError {
        StartError::AlreadyRunning { pid, path }
    }

    /// An error of the system, and what was to be done: it completes "cannot ...".
    #[doc(hidden)]
    pub fn io(action: impl Into<String>, source: impl Into<io::Error>) -> StartError {
        StartError::Io { action: action.into(), source: source.into() }
    }
}

/// How a process ended, in words: "exited with code 3", "was killed by SIGSEGV (core dumped)".
pub fn describe(end: End) -> String {
    match end {
        End::Code(code) => format!("exited with code {code}"),
        End::Signal { signal, core } => {
            let core = if core { " (core dumped)" } else { "" };
            format!("was killed by {}{core}", signal_name(signal))
        }
        End::Unknown => "ended, and another process took its exit code".into(),
    }
}

/// A time for people: "250 ms", "1.5 s", "90 s".
pub fn human(time: Duration) -> String {
    match time.as_millis() {
        ms if ms < 1000 => format!("{ms} ms"),
        ms if ms % 1000 == 0 || ms >= 10_000 => format!("{} s", ms / 1000),
        ms => format!("{:.1} s", ms as f64 / 1000.0),
    }
}

/// The name of a signal: `SIGTERM`, or `signal 42` for one that has none.
pub fn signal_name(signal: i32) -> String {
    const NAMES: &[(i32, &str)] = &[
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGCHLD, "SIGCHLD"),
        (libc::SIGCONT, "SIGCONT"),
        (libc::SIGSTOP, "SIGSTOP"),
        (libc::SIGTSTP, "SIGTSTP"),
        (libc::SIGTTIN, "SIGTTIN"),
        (libc::SIGTTOU, "SIGTTOU"),
        (libc::SIGURG, "SIGURG"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGVTALRM, "SIGVTALRM"),
        (libc::SIGPROF, "SIGPROF"),
        (libc::SIGWINCH, "SIGWINCH"),
        (libc::SIGIO, "SIGIO"),
        (libc::SIGSYS, "SIGSYS"),
    ];
    let known = NAMES.iter().find(|(number, _)| *number == signal);
    known.map_or_else(|| format!("signal {signal}"), |(_, name)| (*name).into())
}

fn last_status(status: &Option<String>) -> String {
    status.as_ref().map(|text| format!("; its last status was \"{text}\"")).unwrap_or_default()
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::Spawn { program, source } => write!(f, "cannot start {}: {source}", program.display()),
            StartError::Exited { code, signal, core_dumped, status } => {
                let end = match (code, signal) {
                    (Some(code), _) => End::Code(*code),
                    (None, Some(signal)) => End::Signal { signal: *signal, core: *core_dumped },
                    (None, None) => End::Unknown,
                };
                write!(f, "the server {} before it was ready{}", describe(end), last_status(status))
            }
            StartError::TimedOut { after, status } => {
                write!(f, "the server was not ready within {} and was stopped{}", human(*after), last_status(status))
            }
            StartError::Abandoned { status } => write!(
                f,
                "the server let go of its launcher without being ready (was `Ready` dropped before `notify`?) and was \
                 stopped{}",
                last_status(status)
            ),
            StartError::AlreadyRunning { pid: Some(pid), path } => {
                write!(f, "already running (pid {pid}, {})", path.display())
            }
            StartError::AlreadyRunning { pid: None, path } => {
                write!(f, "already running ({} is locked)", path.display())
            }
            StartError::Interrupted { signal } => {
                write!(f, "interrupted by {} before the server was ready; it was stopped", signal_name(*signal))
            }
            StartError::Failed { message, .. } => f.write_str(message),
            StartError::Io { action, source } => write!(f, "cannot {action}: {source}"),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            StartError::Spawn { source, .. } | StartError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A server could not tell how it is getting on, or could not have what it was to have from `notify` on. Most servers
/// end with it: as an [`io::Error`], by `?` in `main`, its text reaches the caller.
///
/// ```
/// fn serve() -> std::io::Result<()> {
///     let ready = onready::Launch::default().enter();
///     Ok(ready.notify()?)
/// }
/// # serve().unwrap();
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct NotifyError {
    pub(crate) action: String,
    pub(crate) source: io::Error,
}

impl NotifyError {
    pub(crate) fn new(action: impl Into<String>, source: impl Into<io::Error>) -> NotifyError {
        NotifyError { action: action.into(), source: source.into() }
    }
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.action, self.source)
    }
}

impl Error for NotifyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<StartError> for io::Error {
    fn from(error: StartError) -> io::Error {
        let kind = match &error {
            StartError::Spawn { source, .. } | StartError::Io { source, .. } => source.kind(),
            StartError::TimedOut { .. } => io::ErrorKind::TimedOut,
            StartError::AlreadyRunning { .. } => io::ErrorKind::AlreadyExists,
            StartError::Interrupted { .. } => io::ErrorKind::Interrupted,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

impl From<NotifyError> for io::Error {
    fn from(error: NotifyError) -> io::Error {
        io::Error::new(error.source.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_death_is_named() {
        assert_eq!(describe(End::Code(3)), "exited with code 3");
        assert_eq!(describe(End::Signal { signal: 11, core: true }), "was killed by SIGSEGV (core dumped)");
        assert_eq!(describe(End::Signal { signal: 40, core: false }), "was killed by signal 40");
        assert_eq!(describe(End::Unknown), "ended, and another process took its exit code");
    }

    #[test]
    fn the_code_tells_a_shell_what_happened() {
        let failed = |kind: io::ErrorKind| StartError::Spawn { program: "x".into(), source: kind.into() }.exit_code();
        assert_eq!(failed(io::ErrorKind::NotFound), 127);
        assert_eq!(failed(io::ErrorKind::PermissionDenied), 126);
        assert_eq!(failed(io::ErrorKind::OutOfMemory), 125);
        let exited = |end| StartError::exited(end, None).exit_code();
        assert_eq!(exited(End::Code(0)), 125);
        assert_eq!(exited(End::Code(255)), 255);
        assert_eq!(exited(End::Signal { signal: 9, core: false }), 137);
        assert_eq!(exited(End::Signal { signal: 200, core: false }), 255);
        assert_eq!(exited(End::Unknown), 125);
        assert_eq!(StartError::Interrupted { signal: 2 }.exit_code(), 130);
        assert_eq!(StartError::Abandoned { status: None }.exit_code(), 125);
        assert_eq!(StartError::TimedOut { after: Duration::ZERO, status: None }.exit_code(), 124);
        assert_eq!(StartError::AlreadyRunning { pid: None, path: "x".into() }.exit_code(), 69);
    }

    #[test]
    fn times_are_for_people() {
        let cases = [(0, "0 ms"), (999, "999 ms"), (1000, "1 s"), (1500, "1.5 s"), (90_000, "90 s"), (90_400, "90 s")];
        for (millis, text) in cases {
            assert_eq!(human(Duration::from_millis(millis)), text);
        }
    }
}
