//! The command line; these definitions are the manual.

use crate::duration;
use crate::when::{When, regex};
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use regex::bytes::Regex;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXAMPLES: &str = "\
Examples:
  onready -- redis-server --port 7777 && redis-cli -p 7777 ping
      Start redis in the background; the client comes when it is ready.
  onready --json -- python3 -m http.server 0
      Let the server take any port, and read it from \"listening\".
  onready --until notify --timeout 5m -- mydb --data /srv/db
      Wait for READY=1 (sd_notify) of a database that recovers first.
  onready --until 'log:ready to accept' --fail-log 'FATAL' -- ./start.sh
      Wait for a line of its output.
  onready --then 'npm test' -- npm run serve
      Run the tests while the server runs, then stop it; exit with their code.
  onready -n web -- nginx -g 'daemon off;' && onready status web && onready stop web
      Give it a name, and ask and stop it by that.

Exit codes:
  0 ready; n the server's own code; 128+n killed by signal n; 124 not ready in time;
  125 onready failed, or the server exited 0 without being ready; 126 COMMAND cannot be
  executed; 127 COMMAND not found; 2 usage; 69 already running.";

/// Start a server in the background and return when it is ready, or say exactly why it is not.
#[derive(Parser)]
#[command(name = "onready", version, styles = STYLES, after_long_help = EXAMPLES, args_conflicts_with_subcommands = true,
          subcommand_negates_reqs = true, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// What to do, if it is not to start a server.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// What to start.
    #[command(flatten)]
    pub start: StartArguments,
}

/// The verbs.
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
    Logs(Logs),
    /// List all servers on record.
    List(List),
    /// Start nothing, only wait until something is ready.
    Wait(Wait),
    /// Be the sender, from a script: READY=1, STATUS=..., as systemd-notify does it.
    Notify(Notify),
    /// Run a command for a while, say which signs of readiness it gives and which flags to use.
    Doctor(Doctor),
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
pub struct StartArguments {
    /// The options.
    #[command(flatten)]
    pub options: Options,
    /// The server and its arguments, behind `--`.
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
    /// When it is ready; repeatable: all must hold
    ///
    /// auto: READY=1 has come, or it listens and cannot say READY=1, or it listens and has been quiet for a moment;
    /// notify: READY=1 on $NOTIFY_SOCKET (sd_notify); listen: it listens on some TCP or unix socket; fd:N: a line
    /// arrives on descriptor N; tcp:[HOST:]PORT, unix:PATH: it accepts connections there; http:URL[=CODE]: it answers
    /// 2xx, 3xx or CODE; file:PATH: the file appears or is renewed; log:[N:]REGEX: a line of its output matches (N
    /// times); exec:COMMAND: `sh -c COMMAND` exits 0; exit: COMMAND put itself into the background and exited 0;
    /// delay:DURATION: it is still alive then.
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "Readiness")]
    pub until: Vec<When>,
    /// One of the --until is enough
    #[arg(long, help_heading = "Readiness")]
    pub any: bool,
    /// A line of the output that matches is a failure at once
    #[arg(long, value_name = "REGEX", value_parser = regex, help_heading = "Readiness")]
    pub fail_log: Vec<Regex>,
    /// How long it may take; 0 = for ever; the server may ask for more (EXTEND_TIMEOUT_USEC)
    #[arg(short, long, value_name = "DURATION", default_value = "90s", value_parser = duration::parse, help_heading = "Readiness")]
    pub timeout: Duration,
    /// What to do with a server that is not ready in time
    #[arg(long, value_enum, value_name = "WHAT", default_value_t, help_heading = "Readiness")]
    pub on_timeout: OnTimeout,
    /// Whose notify messages count: the main process's, or those of all its processes
    #[arg(long, value_enum, value_name = "WHO", default_value_t, help_heading = "Readiness")]
    pub notify_access: NotifyAccess,

    /// The server's name for stop, status, logs [default: the program's, made unique]
    #[arg(short, long, help_heading = "Name and state")]
    pub name: Option<String>,
    /// A name that runs already is an error (69), not a success
    #[arg(long, requires = "name", help_heading = "Name and state")]
    pub fail_if_running: bool,
    /// A text that says which version or configuration this is; another one running under the name is an error (69)
    #[arg(long, value_name = "TEXT", requires = "name", help_heading = "Name and state")]
    pub fingerprint: Option<String>,
    /// Restart a server of this name that runs with another command or fingerprint
    #[arg(long, requires = "name", conflicts_with = "fail_if_running", help_heading = "Name and state")]
    pub replace: bool,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Name and state")]
    pub state_dir: Option<PathBuf>,
    /// Write the server's pid to this file
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Name and state")]
    pub pid_file: Option<PathBuf>,

    /// Run this shell command while the server runs, then stop the server; exit with its code
    #[arg(long, value_name = "SHELL-COMMAND", conflicts_with = "foreground", help_heading = "Running")]
    pub then: Option<String>,
    /// Stay: pass signals and readiness on; for PID 1 of a container and for service managers
    #[arg(long, help_heading = "Running")]
    pub foreground: bool,
    /// Bind this address now and hand it over as LISTEN_FDS: [HOST:]PORT or a path; repeatable, NAME=ADDR names it
    #[arg(long, value_name = "ADDR", help_heading = "Running")]
    pub listen: Vec<String>,
    /// Set a variable of its environment; repeatable
    #[arg(long, value_name = "K=V", value_parser = assignment, help_heading = "Running")]
    pub env: Vec<(OsString, OsString)>,
    /// Start it in this directory
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Running")]
    pub chdir: Option<PathBuf>,
    /// Run it as this user
    #[arg(long, value_hint = ValueHint::Username, help_heading = "Running")]
    pub user: Option<String>,
    /// Run it as this group
    #[arg(long, help_heading = "Running")]
    pub group: Option<String>,
    /// Its mask of file modes, in octal
    #[arg(long, value_name = "OCTAL", value_parser = octal, help_heading = "Running")]
    pub umask: Option<u32>,
    /// Its scheduling priority, -20 to 19
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(i32).range(-20..=19), help_heading = "Running")]
    pub nice: Option<i32>,
    /// A resource limit: NAME=SOFT[:HARD], as nofile=1024; repeatable
    #[arg(long, value_name = "NAME=N", value_parser = crate::limits::parse, help_heading = "Running")]
    pub rlimit: Vec<crate::limits::Limit>,

    /// Append its stdout to this file [default: in the log folder of its name]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub stdout: Option<PathBuf>,
    /// Append its stderr to this file
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help_heading = "Output")]
    pub stderr: Option<PathBuf>,
    /// Append both to this file
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with_all = ["stdout", "stderr"], help_heading = "Output")]
    pub log: Option<PathBuf>,
    /// Pass nothing of its output on, and show no progress; errors are still told
    #[arg(short, long, help_heading = "Output")]
    pub quiet: bool,
    /// Print the outcome as one JSON object on stdout; the server's output goes to stderr
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `onready ensure`.
#[derive(Args)]
pub struct Ensure {
    /// The name.
    pub server: String,
    /// How to start it, if it must be.
    #[command(flatten)]
    pub start: StartArguments,
}

/// `onready stop`.
#[derive(Args)]
pub struct Stop {
    /// Their names.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// How: signals and how long to wait after each
    #[arg(long, value_name = "SCHEDULE", default_value = "TERM/10s/KILL/5s")]
    pub retry: String,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

/// `onready restart`.
#[derive(Args)]
pub struct Restart {
    /// How and whom to stop.
    #[command(flatten)]
    pub stop: Stop,
}

/// `onready status`.
#[derive(Args)]
pub struct Status {
    /// Their names.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Say it by the exit code alone
    #[arg(short, long)]
    pub quiet: bool,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `onready list`.
#[derive(Args)]
pub struct List {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `onready logs`.
#[derive(Args)]
pub struct Logs {
    /// Their names.
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Stay and show what comes
    #[arg(short, long)]
    pub follow: bool,
    /// How many lines from the end
    #[arg(short = 'n', long, value_name = "N", default_value_t = 10)]
    pub lines: usize,
    /// Only what it wrote to stdout
    #[arg(long)]
    pub stdout: bool,
    /// Only what it wrote to stderr
    #[arg(long)]
    pub stderr: bool,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
}

/// `onready wait`.
#[derive(Args)]
pub struct Wait {
    /// Until when; all must hold, as with a start
    #[arg(long, value_name = "WHEN", required = true)]
    pub until: Vec<When>,
    /// One of the --until is enough
    #[arg(long)]
    pub any: bool,
    /// How long; 0 = for ever
    #[arg(short, long, value_name = "DURATION", default_value = "90s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// Where names and states are kept
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// The server whose readiness is meant; without one, whoever answers
    #[arg(value_name = "NAME")]
    pub server: Option<String>,
}

/// `onready notify`.
#[derive(Args)]
pub struct Notify {
    /// Assignments: READY=1, STATUS=text, MAINPID=..., ...
    #[arg(value_name = "KEY=VALUE")]
    pub assignments: Vec<OsString>,
    /// The same as READY=1
    #[arg(long)]
    pub ready: bool,
    /// The same as STATUS=TEXT
    #[arg(long, value_name = "TEXT")]
    pub status: Option<String>,
    /// Which process is the server [default: the caller]
    #[arg(long, value_name = "PID")]
    pub pid: Option<u32>,
    /// Return at once, without waiting until the message has been read
    #[arg(long)]
    pub no_block: bool,
}

/// `onready doctor`.
#[derive(Args)]
pub struct Doctor {
    /// How long to watch it
    #[arg(short, long, value_name = "DURATION", default_value = "5s", value_parser = duration::parse)]
    pub timeout: Duration,
    /// The server and its arguments
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
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
