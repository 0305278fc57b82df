//! The command line; these definitions are the manual.
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)] // the texts are for a terminal

mod verbs;

use crate::report::is_told_to_a_person;
use crate::when::{When, regex};
use crate::{duration, manual};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use regex::bytes::Regex;
use std::ffi::OsString;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;
pub use verbs::*;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Start a server in the background and return when it is ready, or say exactly why it is not.
#[derive(Parser)]
#[command(name = "onready", version, styles = STYLES, override_usage = manual::USAGE,
          after_help = manual::AFTER_SHORT_HELP, after_long_help = manual::after_long_help(), args_conflicts_with_subcommands = true,
          subcommand_negates_reqs = true, disable_help_subcommand = true, max_term_width = 100,
          subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub struct Cli {
    /// What to do, if it is not to start a server.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What to start.
    #[command(flatten)]
    pub start: StartArguments,
}

/// The command line of a start alone.
#[derive(Parser)]
#[command(name = "onready", disable_help_flag = true)]
pub struct StartLine<O: Args> {
    /// What to start.
    #[command(flatten)]
    pub start: StartArguments<O>,
}

/// The verbs.
// One of them exists, once.
#[allow(clippy::large_enum_variant)]
#[derive(Subcommand)]
pub enum Verb {
    /// Ready already: success; else start it, once, however many ask at the same time.
    Ensure(Ensure),
    /// Stop servers by name: SIGTERM, wait for the real end, SIGKILL after 10 s.
    Stop(Stop),
    /// Stop servers and start them again with the same command, environment and directory.
    Restart(Restart),
    /// Say how servers are: exit 0 ready, 1 dead, 3 stopped, 4 unknown, 150 starting.
    Status(Status),
    /// Show what servers have printed.
    ///
    /// The logs of a name are stdout.log and stderr.log in $XDG_STATE_HOME/onready/NAME/ (for root
    /// /var/log/onready/NAME/), or the files of --log, --stdout and --stderr. A start that finds one of the former larger
    /// than 8 MiB puts both aside as *.log.1, an older one as *.log.2 and so on; 4 are kept. The latter are never put
    /// aside. All may be truncated at any time.
    Logs(Logs),
    /// List all servers on record.
    List(List),
    /// Start nothing, only wait until something is ready.
    Wait(Wait),
    /// Be the sender, from a script: READY=1, STATUS=..., as systemd-notify does it.
    Notify(Notify),
    /// Run a command for a while, say which signs of readiness it gives.
    Doctor(Doctor),
    /// Write a server on record down for another engine: a unit, a service folder, a Deployment, a plist.
    Export(Export),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page.
    Man,
}

/// How to start a server.
#[derive(Args, Clone)]
pub struct StartArguments<O: Args = Options> {
    /// The options.
    #[command(flatten)]
    pub options: O,
    /// The server and its arguments, behind `--`
    #[arg(required = true, last = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// What to do with a server that is not ready in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnTimeout {
    /// Stop it.
    #[default]
    Stop,
    /// Leave it running.
    Keep,
}

/// Whose messages count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NotifyAccess {
    /// The main process alone.
    Main,
    /// Every process of the server.
    #[default]
    All,
}

/// The options of a start.
#[derive(Args, Clone)]
pub struct Options {
    /// The usual ones.
    #[command(flatten)]
    pub usual: Usual,
    /// The others.
    #[command(flatten)]
    pub special: Special,
}

/// The options that most starts have enough with: their definitions alone are made first.
#[derive(Args, Clone)]
pub struct Usual {
    /// When it is ready; repeatable: all must hold
    ///
    ///   auto                  READY=1 has come; or it listens and cannot say READY=1;
    ///                         or it listens, could say so, and has been quiet for 200 ms
    ///   notify                READY=1 on $NOTIFY_SOCKET (sd_notify)
    ///   listen                it listens on some TCP or unix stream socket
    ///   fd:N                  a line arrives on descriptor N (s6's notification-fd)
    ///   tcp:[HOST:]PORT       it listens there and accepts a connection
    ///   unix:PATH             the same
    ///   http:URL[=CODE]       it answers with CODE, else with any 2xx or 3xx
    ///   file:PATH             the file appears, or is newer than the start
    ///   log:REGEX             a line of its output matches; log:N:REGEX the N-th one
    ///   exec:COMMAND          `sh -c COMMAND` exits 0
    ///   exit                  COMMAND put itself into the background and exited 0
    ///   delay:DURATION        it is still alive then; the weakest sign
    ///
    /// A listener of somebody else never counts: if another process listens there already, that is an error.
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Readiness", verbatim_doc_comment)]
    pub until: Vec<When>,
    /// How long it may take; 0 = for ever
    ///
    /// A duration as 90s, 1m 30s, 250ms, or a number of seconds. The server may ask for more (EXTEND_TIMEOUT_USEC).
    #[arg(short, long, value_name = "DURATION", default_value = "90s", value_parser = duration::parse, allow_negative_numbers = true, help_heading = "Readiness")]
    pub timeout: Duration,
    /// Its name for stop, status, logs [default: the program's, made unique]
    ///
    /// Starting a name that runs already with the same command is a success; with another one it is an error (69).
    #[arg(short, long, group = "named", help_heading = "Name and state")]
    pub name: Option<String>,
    /// Run this command while the server runs, stop the server, exit with its code
    ///
    /// It finds the server's pid in ONREADY_PID and its addresses in ONREADY_LISTENING.
    #[arg(long, value_name = "SHELL-COMMAND", help_heading = "Running")]
    pub then: Option<String>,
    /// Pass nothing of its output on, show no progress; errors are still told
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Print the outcome as JSON on stdout; the server's output goes to stderr
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// The other options. Without any of them, what is parsed is as by default.
#[derive(Args, Clone, Debug, Default)]
pub struct Special {
    /// One of the --until is enough
    #[arg(hide_short_help = true, long, help_heading = "Readiness")]
    pub any: bool,
    /// A line of the output that matches is a failure at once
    #[arg(long, value_name = "REGEX", value_parser = regex, help_heading = "Readiness")]
    pub fail_log: Vec<Regex>,
    /// What to do with a server that is not ready in time
    #[arg(hide_short_help = true, long, value_enum, value_name = "WHAT", default_value_t, help_heading = "Readiness")]
    pub on_timeout: OnTimeout,
    /// Whose notify messages count: the main process's, or those of all its processes
    #[arg(hide_short_help = true, long, value_enum, value_name = "WHO", default_value_t, help_heading = "Readiness")]
    pub notify_access: NotifyAccess,
    /// A name that runs already is an error (69), not a success
    #[arg(hide_short_help = true, long, requires = "named", help_heading = "Name and state")]
    pub fail_if_running: bool,
    /// A text that says which version or configuration this is; another one running under the name is an error (69)
    #[arg(hide_short_help = true, long, value_name = "TEXT", requires = "named", help_heading = "Name and state")]
    pub fingerprint: Option<String>,
    /// Restart a server of this name that runs with another command or fingerprint
    #[arg(
        hide_short_help = true,
        long,
        requires = "named",
        conflicts_with = "fail_if_running",
        help_heading = "Name and state"
    )]
    pub replace: bool,
    /// Where names and states are kept
    #[arg(hide_short_help = true, long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Name and state")]
    pub state_dir: Option<PathBuf>,
    /// Write the server's pid to this file
    #[arg(hide_short_help = true, long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Name and state")]
    pub pid_file: Option<PathBuf>,
    /// Stay: for PID 1 of a container, and for service managers
    ///
    /// Signals are passed on to the server, its readiness to the service manager, and its exit code is ours.
    #[arg(hide_short_help = true, long, conflicts_with = "then", help_heading = "Running")]
    pub foreground: bool,
    /// Bind this address now and hand it over as LISTEN_FDS; repeatable
    ///
    /// [HOST:]PORT, or a path with a slash; NAME=ADDR names it in LISTEN_FDNAMES.
    #[arg(hide_short_help = true, long, value_name = "ADDR", help_heading = "Running")]
    pub listen: Vec<String>,
    /// Set a variable of its environment; repeatable
    #[arg(long, value_name = "K=V", value_parser = assignment, help_heading = "Running")]
    pub env: Vec<(OsString, OsString)>,
    /// Start it in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Running")]
    pub chdir: Option<PathBuf>,
    /// Run it as this user
    #[arg(hide_short_help = true, long, value_hint = ValueHint::Username, help_heading = "Running")]
    pub user: Option<String>,
    /// Run it as this group
    #[arg(hide_short_help = true, long, help_heading = "Running")]
    pub group: Option<String>,
    /// Its mask of file modes, in octal
    #[arg(hide_short_help = true, long, value_name = "OCTAL", value_parser = octal, help_heading = "Running")]
    pub umask: Option<u32>,
    /// Its scheduling priority, -20 to 19
    #[arg(hide_short_help = true, long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-20..=19), help_heading = "Running")]
    pub nice: Option<i32>,
    /// A resource limit, as nofile=1024 or core=0:unlimited; repeatable
    #[arg(hide_short_help = true, long, value_name = "NAME=N", value_parser = crate::limits::parse, help_heading = "Running")]
    pub rlimit: Vec<crate::limits::Limit>,
    /// Append both streams to this file [default: in the log folder of its name]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub log: Option<PathBuf>,
    /// Append its stdout to this file
    #[arg(hide_short_help = true, long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "log", help_heading = "Output")]
    pub stdout: Option<PathBuf>,
    /// Append its stderr to this file
    #[arg(hide_short_help = true, long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "log", help_heading = "Output")]
    pub stderr: Option<PathBuf>,
}

impl Deref for Options {
    type Target = Usual;

    fn deref(&self) -> &Usual {
        &self.usual
    }
}

impl Options {
    /// Whether anybody is told more of a server that is ready than an exit code.
    pub fn tells_more(&self) -> bool {
        self.json || self.then.is_some() || self.special.foreground || is_told_to_a_person(self.quiet)
    }
}

fn assignment(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("write NAME=VALUE".into()),
    }
}

fn octal(text: &str) -> Result<u32, String> {
    let mask = u32::from_str_radix(text, 8).ok().filter(|&mask| mask <= 0o777);
    mask.ok_or(format!("\"{text}\" is no mask; write it in octal, as 022"))
}
