//! The arguments of the verbs.

use super::StartArguments;
use crate::duration;
use crate::when::When;
use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum, ValueHint};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// `onready ensure`.
#[derive(Args)]
pub struct Ensure {
    /// The name.
    #[arg(group = "named")]
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

/// What `onready export` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// A unit file
    Systemd,
    /// A Deployment with startup and readiness probes
    Kubernetes,
    /// A shell script that makes a service folder
    S6,
    /// A property list
    Launchd,
}

/// `onready export`.
#[derive(Args)]
pub struct Export {
    /// For which engine
    #[arg(value_enum)]
    pub engine: Engine,
    /// The server's name
    #[arg(value_name = "NAME")]
    pub name: String,
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

/// A process, from the point of view of `onready notify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichPid {
    /// The caller, unless that is the service manager.
    Auto,
    /// Ourselves.
    Own,
    /// The caller in any case.
    Parent,
    /// This one.
    Number(i32),
}

/// `onready notify`.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub struct Notify {
    /// Assignments as sd_notify(3) lists them: READY=1, STATUS=text, EXTEND_TIMEOUT_USEC=..., ...
    #[arg(value_name = "KEY=VALUE", value_parser = os_assignment(), group = "what")]
    pub assignments: Vec<OsString>,
    /// The same as READY=1
    #[arg(long, group = "what")]
    pub ready: bool,
    /// The same as RELOADING=1, with the time
    #[arg(long, group = "what")]
    pub reloading: bool,
    /// The same as STOPPING=1
    #[arg(long, group = "what")]
    pub stopping: bool,
    /// The same as STATUS=TEXT
    #[arg(long, value_name = "TEXT", group = "what")]
    pub status: Option<OsString>,
    /// Say which process is the server (MAINPID=): a number, parent, self, or without a value the caller
    #[arg(long, value_name = "PID", num_args = 0..=1, require_equals = true, default_missing_value = "auto", value_parser = which_pid, group = "what")]
    pub pid: Option<WhichPid>,
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
    /// Where logs and the notify socket are kept meanwhile
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub state_dir: Option<PathBuf>,
    /// The server and its arguments, behind `--`
    #[arg(required = true, last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

fn which_pid(text: &str) -> Result<WhichPid, String> {
    match text {
        "" | "auto" => Ok(WhichPid::Auto),
        "self" => Ok(WhichPid::Own),
        "parent" => Ok(WhichPid::Parent),
        _ => {
            let pid = text.parse().ok().filter(|&pid| pid > 0).map(WhichPid::Number);
            pid.ok_or(format!("\"{text}\" is no process; write a pid, parent, self or auto"))
        }
    }
}

/// `KEY=VALUE` in one line, whatever the bytes of the value.
fn os_assignment() -> impl TypedValueParser<Value = OsString> {
    clap::builder::OsStringValueParser::new().try_map(|text| {
        use std::os::unix::ffi::OsStrExt;
        let bytes = text.as_bytes();
        let named = bytes.iter().position(|&byte| byte == b'=').is_some_and(|at| at > 0);
        match named {
            true => Ok(text),
            false => Err(format!("\"{}\" is no assignment; write KEY=VALUE, as READY=1", text.to_string_lossy())),
        }
    })
}
