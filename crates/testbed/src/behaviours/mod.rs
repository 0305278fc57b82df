//! What a fixture can do: one behaviour a file.
//!
//! A behaviour takes its flags and words up to the first `--`; what follows is the next behaviour, which
//! the same process goes on as: `fixture log-line hello 50ms world -- listen --port 0`. Without a next
//! one a fixture stays. Every fixture is killed by the kernel after its `--life` (60 seconds unless said
//! otherwise; a flag of every behaviour), even if it is stopped or ignores everything.
//!
//! Exit code 64 is a wrong command line, 70 a failure of the fixture itself; both have a word on stderr.

mod args;
mod child;
mod close_all;
mod crowd;
mod daemonize;
mod die;
mod echo;
mod env_dump;
mod exit;
mod fd_line;
mod flood;
mod hold;
mod ignore;
mod life;
mod listen;
mod log_line;
mod on_term;
mod output;
mod pid_file;
mod rename;
mod serve;
mod session;
mod setup;
mod speaker;
mod stay;
mod stop_self;
mod tty_grab;
mod vfork;
mod write_after;

pub use args::{Args, Pause, pause_or_word};
pub use life::again;
pub use output::{put, report, unescape};

use std::ffi::OsString;
use std::io;

/// How many seconds a fixture lives at most, unless `--life` says otherwise.
const LIFE: f64 = 60.0;

/// The exit code of a wrong command line, and of a failure of the fixture itself.
const USAGE: u8 = 64;
const BROKEN: u8 = 70;

/// What a behaviour ends in: an exit code, or its own failure.
pub type Answer = io::Result<u8>;

/// A behaviour's name, its function, and its flags for the list.
pub type Behaviour = (&'static str, fn(Args) -> Answer, &'static str);

/// All behaviours that need no sd_notify.
const ALL: &[Behaviour] = &[
    ("child", child::run, child::USAGE),
    ("close-all", close_all::run, close_all::USAGE),
    ("crowd", crowd::run, crowd::USAGE),
    ("daemonize", daemonize::run, daemonize::USAGE),
    ("die", die::run, die::USAGE),
    ("echo", echo::run, echo::USAGE),
    ("env-dump", env_dump::run, env_dump::USAGE),
    ("exit", exit::run, exit::USAGE),
    ("fd-line", fd_line::run, fd_line::USAGE),
    ("flood", flood::run, flood::USAGE),
    ("hold", hold::run, hold::USAGE),
    ("ignore", ignore::run, ignore::USAGE),
    ("listen", listen::run, listen::USAGE),
    ("log-line", log_line::run, log_line::USAGE),
    ("on-term", on_term::run, on_term::USAGE),
    ("pid-file", pid_file::run, pid_file::USAGE),
    ("rename", rename::run, rename::USAGE),
    ("session", session::run, session::USAGE),
    ("setup", setup::run, setup::USAGE),
    ("stay", stay::run, stay::USAGE),
    ("stop-self", stop_self::run, stop_self::USAGE),
    ("tty-grab", tty_grab::run, tty_grab::USAGE),
    ("vfork", vfork::run, vfork::USAGE),
    ("write-after", write_after::run, write_after::USAGE),
];

/// Runs a command line; `own` are behaviours that one program has beyond those of all.
#[must_use]
pub fn main_with(own: &'static [Behaviour], words: Vec<OsString>) -> u8 {
    let args = Args::new(own, words);
    if args.is_empty() {
        let list = ALL.iter().chain(own);
        let lines = list.map(|(name, _, usage)| format!("fixture {name} {usage}\n"));
        let _ = put(1, lines.collect::<String>().as_bytes());
        return 0;
    }
    let answer = life::live(LIFE).and_then(|()| dispatch(own, args.all()));
    answer.unwrap_or_else(|error| {
        let _ = put(2, format!("fixture: {error}\n").as_bytes());
        if error.kind() == io::ErrorKind::InvalidInput { USAGE } else { BROKEN }
    })
}

/// Goes on as the behaviour that the words name.
fn dispatch(own: &'static [Behaviour], words: Vec<OsString>) -> Answer {
    let mut args = Args::new(own, words);
    let Some(name) = args.name()? else {
        return stay::run(args);
    };
    let known = own.iter().chain(ALL).find(|(known, ..)| *known == name);
    match known {
        Some((_, run, _)) => run(args),
        None if name == "notify" || name == "speaker" => speaker::become_speaker(&name, args),
        None => Err(usage(format!("no behaviour is called {name:?}"))),
    }
}

/// A mistake in the command line.
pub fn usage(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text.into())
}
