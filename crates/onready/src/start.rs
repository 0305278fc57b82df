//! Starting another program that starts a server: a launcher, which exits 0 when its server is ready.
//!
//! # References
//! execvp(3)

use crate::error::{StartError, describe, exit_code, human};
use crate::family::Family;
use crate::machine::{End, Event, Machine, Outcome, Rules};
use crate::process::{Process, SharedProcess};
use crate::spawn::Recipe;
use crate::watch::{Interest, Screen, Source, watch};
use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, accessat};
use rustix::io::Errno;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How much of a launcher's output is kept for the message if it fails: the end of it.
const KEPT: usize = 8 * 1024;

/// Another program that starts a server and exits 0 when that is ready: any program with `--daemonize` of this
/// library, `onready ensure NAME -- COMMAND`, `pg_ctl -w start`, or a script that does the same.
///
/// ```no_run
/// use std::time::Duration;
///
/// # fn main() -> Result<(), onready::StartError> {
/// onready::Start::program("mydb").args(["--data", "/srv/db", "--daemonize"]).timeout(Duration::from_secs(30)).run()?;
/// # Ok(())
/// # }
/// ```
///
/// See [`connect_or_start`](crate::connect_or_start) for clients that start their server when it is not there.
#[derive(Clone, Debug)]
#[must_use = "nothing is started before `run` or `connect_or_start`"]
pub struct Start {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, Option<OsString>)>,
    pub(crate) directory: Option<PathBuf>,
    timeout: Option<Duration>,
    pub(crate) lock: Option<PathBuf>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) replace: Option<Box<Start>>,
}

impl Start {
    /// This program: a path, or a name that is looked for in `PATH`.
    pub fn program(program: impl Into<OsString>) -> Start {
        Start {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            timeout: None,
            lock: None,
            socket: None,
            fingerprint: None,
            replace: None,
        }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Start {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args<I: IntoIterator<Item: Into<OsString>>>(mut self, arguments: I) -> Start {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment, which is otherwise this process's.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Start {
        self.environment.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a variable out of its environment.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Start {
        self.environment.push((name.into(), None));
        self
    }

    /// The directory in which it is started; this process's by default.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Start {
        self.directory = Some(directory.into());
        self
    }

    /// How long it may take. Then it is stopped, with all that is in its process group or descends from it. The
    /// default is no limit: it has its own.
    pub fn timeout(mut self, limit: Duration) -> Start {
        self.timeout = Some(limit);
        self
    }

    /// The file that [`connect_or_start`](crate::connect_or_start) locks while it starts the server; it is made for
    /// that and removed afterwards, and may be nothing else. Who has the same lock starts one server. The default is
    /// a file in the runtime directory whose name is made of the program and its arguments.
    pub fn lock(mut self, path: impl Into<PathBuf>) -> Start {
        self.lock = Some(path.into());
        self
    }

    /// The path of the unix socket that the server makes. If nobody is bound to it any more (a server that was killed
    /// has left it), [`connect_or_start`](crate::connect_or_start) removes it before it starts the server, under the
    /// lock; for servers that do not do so themselves.
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Start {
        self.socket = Some(path.into());
        self
    }

    /// What the server must be: a version, say, or a hash of its configuration. It is remembered, beside the lock,
    /// when [`connect_or_start`](crate::connect_or_start) starts it; if one with another fingerprint answers, that is
    /// an error that names both, or it is [replaced](Start::replace_with).
    pub fn fingerprint(mut self, text: impl Into<String>) -> Start {
        self.fingerprint = Some(text.into());
        self
    }

    /// How a server with another [fingerprint](Start::fingerprint) is stopped, by a program that exits 0 when it has
    /// ended; the server is started anew then.
    pub fn replace_with(mut self, stop: Start) -> Start {
        self.replace = Some(Box::new(stop));
        self
    }

    /// Starts the program, and waits until it has exited 0. What it prints is not shown; if it fails, the end of that
    /// is in the error. It gets `/dev/null` as stdin, no descriptor of this process, and a session of its own; if this
    /// process dies meanwhile, so does its group.
    ///
    /// It blocks: from asynchronous code, call it in `spawn_blocking` or the like.
    ///
    /// # Errors
    /// [`StartError::Failed`], with the program's own exit code and the end of its output; 124 if it took too long,
    /// 126 or 127 if it cannot be executed or is not found.
    pub fn run(&self) -> Result<(), StartError> {
        let started = Instant::now();
        let name = Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy();
        let (reader, writer) = crate::sys::pipe().map_err(|error| StartError::io("make a pipe", error))?;
        let spawned = self.recipe(writer)?.spawn().map_err(|error| failed(error.exit_code(), error.to_string()))?;
        let _ = rustix::io::ioctl_fionbio(&reader, true);

        let process: SharedProcess = Rc::new(RefCell::new(Process::child(spawned.pid)));
        let mut family = Family::new(Rc::clone(&process), spawned.group, None);
        let rules = Rules { signs: 1, any: false, timeout: self.timeout, keep_on_timeout: false };
        let mut output = Output { pipe: Some(reader), kept: VecDeque::new() };
        let mut exit = Exit(Rc::clone(&process));
        let mut machine = Machine::new(rules);
        let outcome = watch(started, &mut machine, &mut [&mut exit, &mut output], &mut family, &mut Silent);
        process.borrow().reap();
        match outcome {
            Outcome::Ready => {
                spawned.switch.disarm();
                Ok(())
            }
            Outcome::Exited(end) => Err(failed(code_of(end), output.behind(format!("{name} {}", describe(end))))),
            outcome => Err(self.unexpected(&name, &outcome, &output)),
        }
    }

    fn unexpected(&self, name: &str, outcome: &Outcome, output: &Output) -> StartError {
        let (code, what) = match (outcome, self.timeout) {
            (Outcome::TimedOut, Some(time)) => {
                (exit_code::TIMED_OUT, format!("{name} was not done within {} and was stopped", human(time)))
            }
            _ => (exit_code::FAILED, format!("{name} could not be watched")),
        };
        failed(code, output.behind(what))
    }

    fn recipe(&self, output: OwnedFd) -> Result<Recipe, StartError> {
        let second = output.try_clone().map_err(|error| StartError::io("make a pipe", error))?;
        let mut arguments = vec![self.program.clone()];
        arguments.extend(self.arguments.iter().cloned());
        let mut recipe = Recipe::new(self.file()?, arguments);
        for (name, value) in &self.environment {
            match value {
                Some(value) => recipe.set(name, value),
                None => recipe.unset(name),
            }
        }
        let null = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty());
        recipe.descriptor(null.map_err(|error| StartError::io("open /dev/null", error))?, 0);
        recipe.descriptor(output, 1);
        recipe.descriptor(second, 2);
        if let Some(directory) = &self.directory {
            let what = format!("change to the directory {}", directory.display());
            let path = CString::new(directory.as_os_str().as_bytes());
            let path = path.map_err(|error| StartError::io(&what, io::Error::from(error)))?;
            recipe.setup(what, crate::sys::Setup::Directory(path));
        }
        Ok(recipe)
    }

    /// The file that will be executed; as execvp(3) finds it, from the directory in which it will be.
    fn file(&self) -> Result<PathBuf, StartError> {
        let set = self.environment.iter().rev().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
        let path = set.unwrap_or_else(|| std::env::var_os("PATH"));
        let candidates = candidates(&self.program, path.as_deref(), self.directory.as_deref().unwrap_or("".as_ref()));
        if let Some(file) = candidates.iter().find(|file| is_executable(file)) {
            return std::path::absolute(file).map_err(|error| StartError::io("find the working directory", error));
        }
        let (code, why) = match candidates.iter().any(|file| file.exists()) {
            true => (exit_code::CANNOT_EXECUTE, "it cannot be executed"),
            false => (exit_code::NOT_FOUND, "it is not found"),
        };
        Err(failed(code, format!("cannot start {}: {why}", self.program.to_string_lossy())))
    }
}

pub(crate) fn failed(code: u8, message: String) -> StartError {
    StartError::Failed { code, message }
}

fn code_of(end: End) -> u8 {
    match end {
        End::Code(code @ 1..) => code,
        End::Signal { signal, .. } => exit_code::of_signal(signal),
        End::Code(0) | End::Unknown => exit_code::FAILED,
    }
}

/// The files that a command may mean, as execvp(3) has it: a path as it is (from the directory), a name from `PATH`.
pub(crate) fn candidates(command: &OsStr, path: Option<&OsStr>, directory: &Path) -> Vec<PathBuf> {
    if command.as_bytes().contains(&b'/') {
        return vec![directory.join(command)];
    }
    let path = path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(path).map(|folder| directory.join(folder).join(command)).collect()
}

pub(crate) fn is_executable(file: &Path) -> bool {
    file.is_file() && accessat(CWD, file, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

/// The launcher's exit: with 0 it is the sign that its server is ready.
struct Exit(SharedProcess);

impl Source for Exit {
    fn interest(&self, want: &mut Interest) {
        self.0.interest(want);
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        let before = events.len();
        self.0.collect(ready, now, events);
        events[before..].iter_mut().for_each(translate);
    }

    fn last_look(&mut self, _now: Duration, events: &mut Vec<Event>) {
        let end = self.0.borrow_mut().end();
        events.extend(end.map(Event::Exited));
        events.iter_mut().for_each(translate);
    }
}

fn translate(event: &mut Event) {
    if *event == Event::Exited(End::Code(0)) {
        *event = Event::Sign(0);
    }
}

/// What the launcher prints: only the end of it is kept.
struct Output {
    pipe: Option<OwnedFd>,
    kept: VecDeque<u8>,
}

impl Output {
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        // Bounded, so that output without end cannot keep the loop from its other sources.
        for _ in 0..64 {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(count) => self.kept.extend(&buffer[..count]),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
            let more = self.kept.len().saturating_sub(KEPT);
            self.kept.drain(..more);
        }
    }

    /// This text, and behind it what was printed, without what could confuse a terminal.
    fn behind(&self, text: String) -> String {
        let bytes: Vec<u8> = self.kept.iter().copied().collect();
        let printed: String =
            String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        match printed.trim() {
            "" => text,
            line if !line.contains('\n') => format!("{text}: {line}"),
            lines => format!("{text}:\n{lines}"),
        }
    }
}

impl Source for Output {
    fn interest(&self, want: &mut Interest) {
        self.pipe.iter().for_each(|pipe| want.read(pipe));
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, _events: &mut Vec<Event>) {
        if self.pipe.as_ref().is_some_and(|pipe| ready.has(pipe)) {
            self.read();
        }
    }

    fn settle(&mut self) {
        self.read();
    }
}

/// Nobody watches.
struct Silent;

impl Screen for Silent {
    fn show(&mut self, _elapsed: Duration, _machine: &Machine) {}
    fn wipe(&mut self) {}
}
