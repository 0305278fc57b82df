//! Names and numbers of signals.

/// The signals that tests speak of, by their names without `SIG`.
const NAMES: [(&str, i32); 26] = [
    ("HUP", libc::SIGHUP),
    ("INT", libc::SIGINT),
    ("QUIT", libc::SIGQUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", libc::SIGKILL),
    ("USR1", libc::SIGUSR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", libc::SIGUSR2),
    ("PIPE", libc::SIGPIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", libc::SIGTERM),
    ("CHLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("WINCH", libc::SIGWINCH),
    ("IO", libc::SIGIO),
    ("SYS", libc::SIGSYS),
];

/// The number of `TERM`, `SIGTERM` or `15`.
///
/// ```
/// assert_eq!(testbed::signal_number("SIGTERM"), Some(15));
/// assert_eq!(testbed::signal_number("9"), Some(9));
/// assert_eq!(testbed::signal_number("NOPE"), None);
/// ```
#[must_use]
pub fn signal_number(name: &str) -> Option<i32> {
    let upper = name.to_ascii_uppercase();
    let short = upper.strip_prefix("SIG").unwrap_or(&upper);
    let named = NAMES.iter().find(|(known, _)| *known == short);
    named.map(|(_, number)| *number).or_else(|| short.parse().ok().filter(|n| (1..=64).contains(n)))
}

/// The name of a signal without `SIG`, or its number as text.
#[must_use]
pub fn signal_name(number: i32) -> String {
    let known = NAMES.iter().find(|(_, n)| *n == number);
    known.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// The bit of a signal in the masks of `/proc/PID/status`: signal 1 is bit 0.
///
/// # Panics
///
/// When there is no signal of that name.
#[must_use]
#[track_caller]
pub fn signal_bit(name: &str) -> u64 {
    let number = signal_number(name).unwrap_or_else(|| panic!("no signal is called {name:?}"));
    1 << (number - 1)
}
