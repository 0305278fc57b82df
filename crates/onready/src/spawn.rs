//! What is to be started, from ordinary values to the steps that `sys` carries out between clone and exec.

use crate::environment::Environment;
use crate::error::StartError;
use crate::sys::{self, Plan, Refused, Setup, Spawned, Variable};
use rustix::io::fcntl_dupfd_cloexec;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Room for a pid in decimal digits and a zero byte.
const PID_ROOM: usize = 11;

/// A program, its arguments, environment and descriptors.
pub struct Recipe {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<Variable>,
    pid_variables: Vec<(OsString, String)>,
    descriptors: Vec<(OwnedFd, RawFd)>,
    /// Descriptors from 3 that are passed on as they are (socket activation).
    passed: RawFd,
    setup: Vec<(String, Setup)>,
}

impl Recipe {
    /// A program with the arguments (the name first) and the environment of this process.
    ///
    /// Descriptors handed to us by socket activation (`LISTEN_FDS` with our pid) are handed on.
    pub fn new(program: PathBuf, arguments: Vec<OsString>) -> Recipe {
        Recipe::with_environment(program, arguments, &Environment::own())
    }

    /// The same with another environment than ours.
    pub fn with_environment(program: PathBuf, arguments: Vec<OsString>, environment: &Environment) -> Recipe {
        let mut recipe = Recipe {
            program,
            arguments,
            environment: environment.variables().collect(),
            pid_variables: Vec::new(),
            descriptors: Vec::new(),
            passed: 0,
            setup: Vec::new(),
        };
        if recipe.is_for_us("LISTEN_PID") {
            let number = recipe.variable("LISTEN_FDS").and_then(|n| n.to_str()?.parse().ok()).unwrap_or(0);
            recipe.pass(number);
        }
        if recipe.is_for_us("WATCHDOG_PID") {
            recipe.pid_variable("WATCHDOG_PID", String::new());
        }
        recipe
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.iter().find_map(|variable| variable.value_of(name.as_bytes())).map(OsStr::from_bytes)
    }

    fn is_for_us(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| value == std::process::id().to_string().as_str())
    }

    /// Hands on descriptors 3 to 3+number as sd_listen_fds(3) has it; the server finds its own pid in `LISTEN_PID`.
    fn pass(&mut self, number: RawFd) {
        let open = |fd: &RawFd| sys::borrow_fd(*fd).is_some();
        self.passed = (3..3 + number.clamp(0, 1024)).take_while(open).count() as RawFd;
        if self.passed > 0 {
            self.pid_variable("LISTEN_PID", String::new());
        }
    }

    /// Does not hand on what socket activation gave us: there are other sockets for the server.
    pub fn keep_activation(&mut self) {
        self.passed = 0;
        ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].into_iter().for_each(|name| self.unset(name));
    }

    /// The first number that no passed descriptor takes.
    pub fn first_free(&self) -> RawFd {
        3 + self.passed
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let name = name.into();
        self.unset(&name);
        self.environment.push(Variable::Own(variable(&name, value.into().as_bytes())));
    }

    /// Leaves a variable out.
    pub fn unset(&mut self, name: impl AsRef<OsStr>) {
        self.environment.retain(|variable| variable.value_of(name.as_ref().as_bytes()).is_none());
        self.pid_variables.retain(|(key, _)| key != name.as_ref());
    }

    /// Sets a variable to this text followed by the pid that the server will have.
    pub fn pid_variable(&mut self, name: impl Into<OsString>, before: String) {
        let name = name.into();
        self.unset(&name);
        self.pid_variables.push((name, before));
    }

    /// Gives the server this descriptor under this number.
    pub fn descriptor(&mut self, fd: OwnedFd, number: RawFd) {
        self.descriptors.push((fd, number));
    }

    /// Does this between clone and exec, in the order of the calls; the text completes "cannot ...".
    pub fn setup(&mut self, what: impl Into<String>, setup: Setup) {
        self.setup.push((what.into(), setup));
    }

    /// Starts it, in a session of its own.
    ///
    /// # Errors
    /// [`StartError::Spawn`] if it cannot be executed, [`StartError::Io`] if it cannot have what was asked for.
    pub fn spawn(mut self) -> Result<Spawned, StartError> {
        let failed = |program: &Path, source| StartError::Spawn { program: program.into(), source };
        let (mut plan, names, fds) = self.plan().map_err(|source| failed(&self.program, source))?;
        let spawned = sys::spawn(&mut plan);
        drop(fds);
        spawned.map_err(|refused| match refused {
            Refused::Exec(source) => failed(&self.program, source),
            Refused::Clone(source) => StartError::io("make a process for the server", source),
            Refused::Setup(step, source) => StartError::io(names[step].clone(), source),
        })
    }

    fn plan(&mut self) -> io::Result<(Plan, Vec<String>, Vec<OwnedFd>)> {
        let mut environment = std::mem::take(&mut self.environment);
        let mut steps: Vec<(String, Setup)> = Vec::new();
        for variable in &mut environment {
            variable.finish()?;
        }
        for (name, before) in &self.pid_variables {
            let mut variable = variable(name, before.as_bytes());
            let at = variable.len();
            variable.extend([0; PID_ROOM]);
            let setup = Setup::Pid { variable: environment.len(), at };
            steps.push(("tell the server its pid".into(), setup));
            environment.push(Variable::Own(variable));
        }
        let fds = self.place_descriptors(&mut steps)?;
        steps.append(&mut self.setup);
        let (names, setup) = steps.into_iter().unzip();
        let program = CString::new(self.program.as_os_str().as_bytes())?;
        let arguments = std::mem::take(&mut self.arguments);
        let arguments = arguments.into_iter().map(|argument| CString::new(argument.into_vec()));
        let plan = Plan { program, arguments: arguments.collect::<Result<_, _>>()?, environment, setup };
        Ok((plan, names, fds))
    }

    /// The numbers that the server is to have, and nothing else: sources are moved above all targets first, so that
    /// no duplicate overwrites a source.
    fn place_descriptors(&mut self, steps: &mut Vec<(String, Setup)>) -> io::Result<Vec<OwnedFd>> {
        let mut kept: Vec<RawFd> = (3..self.first_free()).collect();
        kept.extend(self.descriptors.iter().map(|(_, to)| *to));
        kept.sort_unstable();
        let above = kept.last().copied().unwrap_or(2).max(2) + 1;
        let mut fds = Vec::new();
        for (fd, to) in self.descriptors.drain(..) {
            let fd = if fd.as_raw_fd() < above { moved(fd.as_fd(), above)? } else { fd };
            let setup = Setup::Duplicate { from: fd.as_raw_fd(), to };
            steps.push((format!("give the server its descriptor {to}"), setup));
            fds.push(fd);
        }
        for fd in 3..self.first_free() {
            steps.push((format!("pass on descriptor {fd}"), Setup::Inherit(fd)));
        }
        let mut next = 0;
        for fd in kept.into_iter().chain([RawFd::MAX]) {
            if fd > next {
                let (first, last) = (next as u32, if fd == RawFd::MAX { u32::MAX } else { fd as u32 - 1 });
                steps.push(("close the caller's descriptors".into(), Setup::Close { first, last }));
            }
            next = fd.saturating_add(1);
        }
        Ok(fds)
    }
}

fn moved(fd: BorrowedFd<'_>, above: RawFd) -> io::Result<OwnedFd> {
    Ok(fcntl_dupfd_cloexec(fd, above)?)
}

fn variable(name: &OsStr, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b"=", value].concat()
}
