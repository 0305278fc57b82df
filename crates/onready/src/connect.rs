//! Clients that start their server when it is not there: try; else take the lock, try again, start, try.
//!
//! The lock is a file that is made for one start and removed after it, while it is still locked. So everybody who
//! waits for it, and nobody else, gets the very file in which its holder has written why the start failed: they all
//! report the same, and who comes later begins anew. A holder that is killed has not removed it; the next one takes
//! its place.
//!
//! # References
//! flock(2), unlink(2)

use crate::error::{StartError, exit_code};
use crate::private_dir::{self, Use};
use crate::safe_open;
use crate::start::{Start, failed};
use rustix::fs::{FileType, FlockOperation, Mode, OFlags, flock, fstat, lstat, open};
use rustix::io::Errno;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Connects to a server, and starts it if it is not there: once, however many clients ask at the same time.
///
/// `connect` is called first, before anything else, so that with a running server this costs nothing more than that.
/// If it fails, for whatever reason, the others who do the same are waited for or `start` is
/// [run](Start::run), and `connect` called again.
///
/// It blocks as long as the start takes: from asynchronous code, call it in `spawn_blocking` or the like.
///
/// ```no_run
/// use std::os::unix::net::UnixStream;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), onready::StartError> {
/// let start = onready::Start::program("mydb").arg("--daemonize").timeout(Duration::from_secs(30));
/// let stream = onready::connect_or_start(|| UnixStream::connect("/run/mydb.sock"), start)?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`StartError::Failed`] with the server's message and exit code, the same for everybody who waited for that start;
/// [`StartError::Io`] if it was started and still cannot be connected to, or the lock cannot be had.
///
/// # References
/// flock(2)
pub fn connect_or_start<C, E>(mut connect: impl FnMut() -> Result<C, E>, start: Start) -> Result<C, StartError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    match connect() {
        Ok(connection) if start.fingerprint.is_none() => Ok(connection),
        first => Client { connect, start: &start, place: Place::of(&start)? }.go_on(first.ok()),
    }
}

struct Client<'a, F> {
    connect: F,
    start: &'a Start,
    place: Place,
}

impl<C, E: Into<Box<dyn Error + Send + Sync>>, F: FnMut() -> Result<C, E>> Client<'_, F> {
    fn go_on(&mut self, mut connection: Option<C>) -> Result<C, StartError> {
        loop {
            let found = self.place.fingerprint(self.start);
            match (connection.take(), &found) {
                (Some(connection), Fingerprint::Same) => return Ok(connection),
                (Some(_), Fingerprint::Other(text)) if self.start.replace.is_none() => return Err(other(text)),
                _ => {}
            }
            match Turn::wait(&self.place.lock)? {
                Turn::Ours(turn) => return self.take(turn),
                Turn::Failed(error) => return Err(error),
                Turn::Over => connection = (self.connect)().ok(),
            }
        }
    }

    /// Under the lock: try again, start, try.
    fn take(&mut self, turn: Held) -> Result<C, StartError> {
        let done = self.try_under_lock();
        done.as_ref().err().into_iter().for_each(|error| turn.tell(error));
        done
    }

    fn try_under_lock(&mut self) -> Result<C, StartError> {
        if let Ok(connection) = (self.connect)() {
            match (self.place.fingerprint(self.start), &self.start.replace) {
                (Fingerprint::Same, _) => return Ok(connection),
                (Fingerprint::Other(text), None) => return Err(other(&text)),
                (Fingerprint::Other(_), Some(stop)) => {
                    drop(connection);
                    stop.run()?;
                }
            }
        }
        self.start.socket.as_deref().map_or(Ok(()), remove_stale_socket)?;
        self.start.run()?;
        self.place.remember(self.start)?;
        (self.connect)().map_err(|error| {
            StartError::io("connect to the server, although it was started", io::Error::other(error.into()))
        })
    }
}

fn other(text: &str) -> StartError {
    failed(exit_code::ALREADY_RUNNING, format!("the server that runs is another one: {text}"))
}

enum Fingerprint {
    /// As it is to be, or it does not matter.
    Same,
    /// Another one; both in words.
    Other(String),
}

/// The files of one server's clients.
struct Place {
    lock: PathBuf,
    fingerprint: PathBuf,
}

impl Place {
    fn of(start: &Start) -> Result<Place, StartError> {
        let lock = match &start.lock {
            Some(path) => path.clone(),
            None => {
                let dir = private_dir::open(&private_dir::runtime_path().join("clients"), Use::State)?.path;
                dir.join(format!("{}-{:016x}.lock", word(&start.program), key(start)))
            }
        };
        let mut fingerprint = lock.clone().into_os_string();
        fingerprint.push(".fingerprint");
        Ok(Place { lock, fingerprint: fingerprint.into() })
    }

    /// What the server that runs is said to be.
    fn fingerprint(&self, start: &Start) -> Fingerprint {
        let Some(wanted) = &start.fingerprint else { return Fingerprint::Same };
        let mut text = String::new();
        let read = open_own(&self.fingerprint).and_then(|mut file| file.read_to_string(&mut text));
        match read {
            Ok(_) if text == *wanted => Fingerprint::Same,
            Ok(_) => Fingerprint::Other(format!("its fingerprint is {text:?}, wanted is {wanted:?}")),
            Err(_) => Fingerprint::Other(format!("its fingerprint is not known, wanted is {wanted:?}")),
        }
    }

    fn remember(&self, start: &Start) -> Result<(), StartError> {
        let Some(text) = &start.fingerprint else { return Ok(()) };
        let mut fresh = self.fingerprint.clone().into_os_string();
        fresh.push(".new");
        let written = safe_open::own_file(Path::new(&fresh)).and_then(|file| {
            file.set_len(0)?;
            file.write_all_at(text.as_bytes(), 0)?;
            std::fs::rename(&fresh, &self.fingerprint)
        });
        let action = || format!("remember the fingerprint in {}", self.fingerprint.display());
        written.map_err(|error| StartError::io(action(), error))
    }
}

/// A file of ours to read.
fn open_own(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = open(path, flags, Mode::empty())?;
    match fstat(&fd)?.st_uid == rustix::process::geteuid().as_raw() {
        true => Ok(fd.into()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// What people know the file by.
fn word(program: &OsStr) -> String {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(40).collect()
}

/// The same for the same program, arguments, variables and directory, in every process and every version (FNV-1a).
fn key(start: &Start) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    let is_path = start.program.as_bytes().contains(&b'/');
    let program = std::path::absolute(&start.program).ok().filter(|_| is_path);
    add(program.map_or(start.program.clone(), PathBuf::into_os_string).as_bytes());
    start.arguments.iter().for_each(|argument| add(argument.as_bytes()));
    for (name, value) in &start.environment {
        add(name.as_bytes());
        add(value.as_deref().unwrap_or_default().as_bytes());
    }
    add(start.directory.as_deref().map(Path::as_os_str).unwrap_or_default().as_bytes());
    hash
}

/// What came of waiting for the lock.
enum Turn {
    /// It is ours.
    Ours(Held),
    /// The start that was waited for has failed.
    Failed(StartError),
    /// It has not, or it is not known: look again.
    Over,
}

/// The lock, held.
struct Held {
    file: File,
    path: PathBuf,
}

impl Turn {
    fn wait(path: &Path) -> Result<Turn, StartError> {
        let failed = |error: io::Error| StartError::io(format!("lock {}", path.display()), error);
        let file = safe_open::own_file(path).map_err(failed)?;
        while let Err(error) = flock(&file, FlockOperation::LockExclusive) {
            if error != Errno::INTR {
                return Err(failed(error.into()));
            }
        }
        let ours = fstat(&file).map_err(|error| failed(error.into()))?;
        let is_there = lstat(path).is_ok_and(|there| (there.st_ino, there.st_dev) == (ours.st_ino, ours.st_dev));
        if is_there {
            return Ok(Turn::Ours(Held { file, path: path.into() }));
        }
        Ok(read_failure(&file).map_or(Turn::Over, Turn::Failed))
    }
}

impl Held {
    /// Lets those who wait know.
    fn tell(&self, error: &StartError) {
        // What a killed holder may have begun to write is not to be read behind it.
        let text = format!("{}\n{error}\n", error.exit_code());
        let _ = self.file.set_len(0).and_then(|()| self.file.write_all_at(text.as_bytes(), 0));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn read_failure(mut file: &File) -> Option<StartError> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let (code, message) = text.strip_suffix('\n')?.split_once('\n')?;
    Some(failed(code.parse().ok()?, message.into()))
}

/// A socket to which nobody is bound any more. That nobody answers is not enough: it may be bound and not listen yet.
fn remove_stale_socket(path: &Path) -> Result<(), StartError> {
    let is_stale = lstat(path).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::Socket && stat.st_uid == rustix::process::geteuid().as_raw()
    });
    if !is_stale || is_bound(path) {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StartError::io(format!("remove the stale socket {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Whether some process is bound to this path, as far as it is seen from here. In doubt it is.
///
/// # References
/// proc_net(5): /proc/net/unix
fn is_bound(path: &Path) -> bool {
    let Ok(table) = std::fs::read("/proc/net/unix") else { return true };
    table.split(|byte| *byte == b'\n').any(|line| {
        // The eighth column; the others are numbers with one or more blanks between them.
        let columns = line.split(|byte| *byte == b' ').filter(|column| !column.is_empty());
        let name = columns.skip(7).collect::<Vec<_>>().join(&b' ');
        is_the_same(Path::new(OsStr::from_bytes(&name)), path)
    })
}

/// Two names of one socket: what it was called when it was bound may be relative, or go through a link.
fn is_the_same(bound: &Path, path: &Path) -> bool {
    let folder = |path: &Path| std::path::absolute(path).ok().and_then(|path| rustix::fs::stat(path.parent()?).ok());
    bound.file_name().is_some()
        && bound.file_name() == path.file_name()
        && (bound.is_relative()
            || match (folder(bound), folder(path)) {
                (Some(one), Some(other)) => (one.st_ino, one.st_dev) == (other.st_ino, other.st_dev),
                _ => false,
            })
}
