//! The launcher's half: start oneself again, watch, and say what came of it.

use crate::channel::{Address, LauncherEnd, VARIABLE};
use crate::error::StartError;
use crate::family::Family;
use crate::launch::{Launch, Started, eprintln_quietly};
use crate::machine::{Machine, Outcome, Rules};
use crate::pid_file::PidFile;
use crate::privileges::Credentials;
use crate::process::Process;
use crate::safe_open;
use crate::screen::StatusLine;
use crate::signals::Signals;
use crate::spawn::Recipe;
use crate::streams::{Relay, SharedRelay, Sink};
use crate::sys::Spawned;
use crate::watch::watch;
use rustix::fs::{Mode, OFlags};
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How far a start has come.
#[cfg_attr(not(feature = "verbs"), allow(dead_code, reason = "only what is put on record is looked at"))]
pub enum Stage<'a> {
    /// The server has just been executed; the text marks the environment of all its processes.
    Begun(&'a Spawned, &'a str),
    /// It is ready, and would still end with us: what is to outlive us is put on record first.
    Ready(&'a Started),
}

/// Called at each stage; an error ends the start, and the server.
pub type Told<'a> = &'a mut dyn FnMut(Stage<'_>) -> Result<(), StartError>;

/// Starts this program again in the background and waits for what comes of it.
pub fn launch(launch: &Launch, alone: bool, told: Told<'_>) -> Result<Started, StartError> {
    let started = Instant::now();
    flush_own_output();
    Credentials::look_up(launch.settings.user.as_deref(), launch.settings.group.as_deref())?;
    let pid_file = launch.settings.pid_file.as_deref().map(PidFile::lock).transpose()?;
    let result = with_pid_file(launch, alone, started, pid_file.as_ref(), told);
    if let (Err(_), Some(file)) = (&result, pid_file) {
        file.remove();
    }
    result
}

fn with_pid_file(
    launch: &Launch,
    alone: bool,
    started: Instant,
    pid_file: Option<&PidFile>,
    told: Told<'_>,
) -> Result<Started, StartError> {
    let mut signals = Signals::catch().map_err(|error| StartError::io("make a pipe", error))?;
    let log = launch.settings.log.as_deref().map(open_log).transpose()?;
    let mut screen = StatusLine::new();
    let (channel, server_end, inode) =
        LauncherEnd::pair().map_err(|error| StartError::io("make the channel to the server", error))?;
    let (stdout, server_stdout) = relay(rustix::stdio::stdout(), &screen, log.as_ref())?;
    let (stderr, server_stderr) = relay(rustix::stdio::stderr(), &screen, log.as_ref())?;
    let descriptors = Descriptors { stdout: server_stdout, stderr: server_stderr, channel: server_end, inode };
    let before = Family::prepare(alone);
    let (spawned, mark) = start(descriptors, log, pid_file)?;
    let process = Rc::new(RefCell::new(Process::child(spawned.pid)));
    let mut family = Family::new(Rc::clone(&process), spawned.group, before);
    let mark = format!("{mark}{}", spawned.pid);
    let written =
        pid_file.map_or(Ok(()), |file| file.write(spawned.pid)).and_then(|()| told(Stage::Begun(&spawned, &mark)));
    if !alone {
        family = family.marked(mark);
    }

    let rules = Rules { signs: 1, any: false, timeout: launch.settings.timeout, keep_on_timeout: false };
    let mut machine = Machine::new(rules);
    if let Err(error) = &written {
        machine.on(crate::machine::Event::Failed(error.to_string()), Duration::ZERO);
    }
    let mut channel = channel;
    channel.flushes(vec![Rc::clone(&stdout), Rc::clone(&stderr)]);
    let (mut watched, mut out, mut err) = (Rc::clone(&process), Rc::clone(&stdout), Rc::clone(&stderr));
    let outcome = watch(
        started,
        &mut machine,
        &mut [&mut watched, &mut channel, &mut out, &mut err, &mut signals],
        &mut family,
        &mut screen,
    );
    if outcome != Outcome::Ready {
        screen.end_line();
    }
    tell_losses([("stdout", &stdout), ("stderr", &stderr)], launch.settings.log.as_deref());
    if alone {
        // From here to the exit nothing changes the outcome any more.
        std::mem::forget(signals);
    }
    written?;
    let status = || machine.status().map(str::to_owned);
    let server = conclude(outcome, &spawned, started.elapsed(), launch.settings.timeout, status())?;
    let let_go = told(Stage::Ready(&server)).and_then(|()| {
        spawned.switch.disarm();
        // The last look: putting it on record took its time.
        process.borrow_mut().end().map_or(Ok(()), |end| Err(StartError::exited(end, status())))
    });
    let_go.inspect_err(|_| family.end()).map(|()| server)
}

fn conclude(
    outcome: Outcome,
    spawned: &Spawned,
    elapsed: Duration,
    timeout: Option<Duration>,
    status: Option<String>,
) -> Result<Started, StartError> {
    match outcome {
        Outcome::Ready => Ok(Started { pid: spawned.pid.unsigned_abs(), elapsed, status }),
        Outcome::Exited(end) => Err(StartError::exited(end, status)),
        Outcome::TimedOut => Err(StartError::TimedOut { after: timeout.unwrap_or(elapsed), status }),
        Outcome::Abandoned => Err(StartError::Abandoned { status }),
        Outcome::Failed(why) => Err(StartError::io("start the server", io::Error::other(why))),
        Outcome::Interrupted(signal) => Err(StartError::Interrupted { signal }),
    }
}

/// The server's ends of what connects it with its launcher.
struct Descriptors {
    stdout: OwnedFd,
    stderr: OwnedFd,
    channel: OwnedFd,
    inode: u64,
}

/// Also returns what the server and its descendants have in their environment, up to its pid.
fn start(
    descriptors: Descriptors,
    log: Option<File>,
    pid_file: Option<&PidFile>,
) -> Result<(Spawned, String), StartError> {
    let mut recipe = Recipe::new(own_program(), std::env::args_os().collect());
    let mut free = recipe.first_free()..;
    let mut next = || free.next().unwrap_or_default();
    let channel = next();
    recipe.descriptor(null()?, 0);
    recipe.descriptor(descriptors.stdout, 1);
    recipe.descriptor(descriptors.stderr, 2);
    recipe.descriptor(descriptors.channel, channel);
    let mut address = Address { channel, inode: descriptors.inode, log: None, lock: None };
    if let Some(log) = log {
        address.log = Some(next());
        recipe.descriptor(log.into(), address.log.unwrap_or_default());
    }
    if let Some(file) = pid_file {
        address.lock = Some(next());
        let lock = file.share().map_err(|error| StartError::io("hand on the lock of the pid file", error))?;
        recipe.descriptor(lock, address.lock.unwrap_or_default());
    }
    recipe.pid_variable(VARIABLE, address.before_pid());
    Ok((recipe.spawn()?, format!("{VARIABLE}={}", address.before_pid())))
}

fn null() -> Result<OwnedFd, StartError> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| StartError::io("open /dev/null", error))
}

fn open_log(path: &Path) -> Result<File, StartError> {
    safe_open::log(path).map_err(|error| StartError::io(format!("open the log {}", path.display()), error))
}

fn relay(
    to: BorrowedFd<'static>,
    screen: &StatusLine,
    log: Option<&File>,
) -> Result<(SharedRelay, OwnedFd), StartError> {
    let pipe = || crate::sys::pipe().map_err(|error| StartError::io("make a pipe for the server", error));
    let (reader, writer) = pipe()?;
    let log = log.map(File::try_clone).transpose().map_err(|error| StartError::io("share the log", error))?;
    let sink = Sink::new(to, screen.wipe_for(rustix::termios::isatty(to)));
    let relay = Relay::new(reader, sink, log).map_err(|error| StartError::io("read the server's output", error))?;
    Ok((Rc::new(RefCell::new(relay)), writer))
}

/// Says once what the caller did not get.
fn tell_losses(relays: [(&str, &SharedRelay); 2], log: Option<&Path>) {
    for (name, relay) in relays {
        let relay = relay.borrow();
        if let Some((reason, count)) = relay.lost() {
            let reason = reason.map_or("nobody reads it".into(), |error| error.to_string());
            eprintln_quietly(&format!(
                "{}: {count} bytes of the server's {name} could not be delivered: {reason}",
                own_name()
            ));
        }
        if let Some(error) = relay.read_error() {
            eprintln_quietly(&format!("{}: cannot read the server's {name}: {error}", own_name()));
        }
        if let (Some(error), Some(log)) = (relay.log_error(), log) {
            eprintln_quietly(&format!("{}: cannot write the log {}: {error}", own_name(), log.display()));
        }
    }
}

/// What this process has printed so far comes before what the server prints.
fn flush_own_output() {
    use io::Write;
    let _ = io::stdout().flush();
    crate::sys::flush_c_streams();
}

/// The file of this very program, though it may have been replaced or deleted meanwhile.
///
/// Through the link /proc/self/exe only if there is no other way: the process would be called `exe`.
///
/// # References
/// proc_pid_exe(5), getauxval(3): AT_EXECFN
pub fn own_program() -> PathBuf {
    match std::env::current_exe() {
        Ok(path) if path.to_string_lossy().ends_with(" (deleted)") && !path.exists() => "/proc/self/exe".into(),
        Ok(path) => path,
        Err(_) => executed_as(),
    }
}

/// Without /proc: the path that the kernel was given.
fn executed_as() -> PathBuf {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let path = rustix::param::linux_execfn();
        if !path.is_empty() {
            return std::ffi::OsStr::from_bytes(path.to_bytes()).into();
        }
    }
    std::env::args_os().next().unwrap_or_default().into()
}

/// What our own lines on stderr begin with.
pub fn own_name() -> String {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "onready".into())
}
