//! `onready export`: what is on record about a server, written down for an engine that looks after it from then on.
//!
//! The command, the environment, the directory, the user, limits and the condition of readiness are carried over.
//! Where the engine has no word for the condition, `onready --foreground` stays between the two and speaks for it.

mod kubernetes;
mod launchd;
mod s6;
mod systemd;

use crate::cli::{Cli, Engine, Export, Options};
use crate::on_record::{look_again, teller};
use crate::{command, restart};
use clap::Parser;
use onready::engine::exit_code;
use onready::verbs::state::{Record, StateDir};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// As `onready status` has it.
const UNKNOWN_NAME: u8 = 4;

/// Variables of the session in which a server was started, or of that one start; of no use to a later one.
const OF_THE_SESSION: [&str; 27] = [
    "_",
    "COLORTERM",
    "COLUMNS",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LINES",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LS_COLORS",
    "MAIL",
    "MAINPID",
    "MANAGERPID",
    "NOTIFY_SOCKET",
    "OLDPWD",
    "PWD",
    "SHLVL",
    "TERM",
    "TERM_PROGRAM",
    "TMUX",
    "TMUX_PANE",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
];

/// What is carried over.
struct Server {
    record: Record,
    options: Options,
    program: PathBuf,
    directory: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

/// Prints it on stdout and returns the exit code.
pub fn run(arguments: &Export) -> u8 {
    let teller = teller(false, false);
    let state = match teller.open(arguments.state_dir.as_deref()) {
        Ok(state) => state,
        Err(code) => return code,
    };
    let written = read(&state, &arguments.name).and_then(|server| match arguments.engine {
        Engine::Systemd => Ok(systemd::unit(&server)),
        Engine::S6 => Ok(s6::folder(&server)),
        Engine::Kubernetes => kubernetes::deployment(&server),
        Engine::Launchd => launchd::plist(&server).inspect(|_| teller.say(&launchd::remark(&server))),
    });
    match written {
        Ok(text) => print(&text),
        Err((code, why)) => {
            teller.say(&why);
            code
        }
    }
}

fn print(text: &[u8]) -> u8 {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            crate::report::say(&format!("cannot write to stdout: {error}"));
            exit_code::FAILED
        }
        _ => 0,
    }
}

type Refusal = (u8, String);

fn read(state: &StateDir, name: &str) -> Result<Server, Refusal> {
    let failed = |why: String| (exit_code::FAILED, why);
    let known = state.read(name).map_err(|error| failed(format!("cannot read the record of {name}: {error}")))?;
    if known.is_none() {
        return Err((UNKNOWN_NAME, format!("no server is called {name}; onready list shows all")));
    }
    // Only with the lock comes the environment.
    let claim = state.claim(name).map_err(|error| (error.exit_code(), error.to_string()))?;
    let mut record = claim.record().cloned().ok_or((UNKNOWN_NAME, format!("no server is called {name}")))?;
    drop(claim);
    if let Some(pid) = record.pid() {
        look_again(&mut [(&mut record, pid)]);
    }
    let options = options_of(&record)?;
    let here = record.directory.clone().unwrap_or_else(|| "/".into());
    let directory = options.special.chdir.as_ref().map_or_else(|| here.clone(), |directory| here.join(directory));
    let kept = record.environment.iter().filter(|(name, _)| !is_of_the_session(name));
    let mut environment: Vec<(OsString, OsString)> = kept.map(|(name, value)| (name.into(), value.into())).collect();
    for (name, value) in &options.special.env {
        environment.retain(|(known, _)| known != name);
        environment.push((name.clone(), value.clone()));
    }
    let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
    let word = record.program.as_ref().map(|program| program.as_os_str()).or(record.argv.first().map(AsRef::as_ref));
    let word = word.ok_or(failed(format!("the command of {name} is not on record")))?;
    let program = command::find(word, path, &directory).map_err(|unusable| (unusable.code, unusable.why))?;
    Ok(Server { record, options, program, directory, environment })
}

/// Of the command line of that time; what `connect_or_start` has started has none.
fn options_of(record: &Record) -> Result<Options, Refusal> {
    let plain = ["onready".into(), "--".into()].into_iter().chain(record.argv.iter().cloned());
    let understood = match record.program {
        Some(_) => Cli::try_parse_from(plain).map(|cli| cli.start).map_err(|error| error.kind().to_string()),
        None => restart::understand(record),
    };
    understood.map(|arguments| arguments.options).map_err(|why| (exit_code::FAILED, format!("{}: {why}", record.name)))
}

fn is_of_the_session(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    let is_shell_function = bytes.starts_with(b"BASH_FUNC_");
    let prefixes: [&[u8]; 3] = [b"ONREADY_", b"SSH_", b"XDG_"];
    is_shell_function
        || OF_THE_SESSION.iter().any(|known| name == *known)
        || prefixes.iter().any(|prefix| bytes.starts_with(prefix))
}

impl Server {
    /// The server's own arguments.
    fn arguments(&self) -> impl Iterator<Item = &OsStr> {
        self.record.argv.iter().skip(1).map(OsString::as_os_str)
    }

    /// The command line of the server: the file, then its arguments.
    fn command(&self) -> Vec<OsString> {
        std::iter::once(self.program.clone().into_os_string()).chain(self.arguments().map(OsString::from)).collect()
    }

    /// The texts of `--until`.
    fn conditions(&self) -> Vec<String> {
        self.options.until.iter().map(ToString::to_string).collect()
    }

    /// It became ready by this sign, or is to.
    fn is_ready_by(&self, sign: &str) -> bool {
        match self.conditions().as_slice() {
            [auto] if auto == "auto" => self.record.ready_by.iter().any(|by| by.contains(sign)),
            [only] => only == sign,
            _ => false,
        }
    }

    /// Sockets to be handed over, and lines that mean failure, are understood by nobody but us.
    fn needs_us(&self) -> bool {
        !self.options.special.listen.is_empty() || !self.options.special.fail_log.is_empty()
    }

    /// The command line that has `onready` stay and speak for the server; `name` makes it known by name.
    fn through_us(&self, name: Option<&str>) -> Vec<OsString> {
        let own = std::env::current_exe().unwrap_or_else(|_| "onready".into());
        let mut words: Vec<OsString> = vec![own.into_os_string(), "--foreground".into()];
        let mut push = |flag: &str, value: &str| words.extend([OsString::from(flag), value.into()]);
        name.iter().for_each(|name| push("--name", name));
        self.conditions().iter().filter(|text| *text != "auto").for_each(|text| push("--until", text));
        self.options.special.fail_log.iter().for_each(|regex| push("--fail-log", regex.as_str()));
        self.options.special.listen.iter().for_each(|address| push("--listen", address));
        push("--timeout", &format!("{}ms", self.options.timeout.as_millis()));
        words.extend(self.options.special.any.then(|| "--any".into()));
        words.push("--".into());
        words.extend(self.command());
        words
    }

    /// The signs that somebody else can see: those of its conditions, or else that it listens where it did.
    fn signs_from_outside(&self) -> Vec<String> {
        let kinds = ["tcp:", "unix:", "http:", "file:", "exec:"];
        let mut signs = self.conditions();
        signs.retain(|text| kinds.iter().any(|kind| text.starts_with(kind)));
        let listening = || {
            let sign = |address: &String| match address.strip_prefix("unix:") {
                Some(_) => address.clone(),
                None => format!("tcp:{address}"),
            };
            self.record.listening.iter().map(sign).collect()
        };
        if signs.is_empty() { listening() } else { signs }
    }

    /// The user it runs as, if that is not root.
    fn user(&self) -> Option<String> {
        let own = rustix::process::geteuid();
        let me = || if own.is_root() { None } else { Some(own.as_raw().to_string()) };
        self.options.special.user.clone().or_else(me)
    }
}
