//! The one place that asks "who am I?": a launcher, a server in the background, or a server in the foreground.

use crate::channel::{Claim, VARIABLE, claim};
use crate::error::StartError;
use crate::launcher;
use crate::server::Ready;
use crate::sys;
use std::path::PathBuf;
use std::time::Duration;

/// How a server is to be launched; made by clap (`--daemonize`) or by hand. The default is to run in the foreground.
///
/// ```no_run
/// use std::net::TcpListener;
///
/// fn main() -> std::io::Result<()> {
///     let background = std::env::args().any(|argument| argument == "--background");
///     let ready = onready::Launch::default().daemonize(background).enter(); // the launcher stays in here
///     let listener = TcpListener::bind("127.0.0.1:8080")?; // an error is the caller's exit code
///     ready.notify()?; // the launcher exits 0 now
///     listener.incoming().try_for_each(|connection| connection.map(drop))
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Launch {
    /// In a box, so that a command line that holds a `Launch` stays small.
    pub(crate) settings: Box<Settings>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) daemonize: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) log: Option<PathBuf>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) working_directory: Option<PathBuf>,
    pub(crate) umask: Option<u32>,
    pub(crate) user: Option<String>,
    pub(crate) group: Option<String>,
    #[cfg(feature = "verbs")]
    pub(crate) named: Option<crate::verbs::Named>,
}

/// Who this process is after [`Launch::try_enter`]; see the example there.
#[derive(Debug)]
pub enum Role {
    /// The server: in the background, or in the foreground when it was not to be daemonized.
    Server(Ready),
    /// The launcher of a server that is ready now.
    Launcher(Started),
}

/// A server that is ready, as its launcher sees it; see the example at [`Launch::try_enter`].
#[derive(Clone, Debug)]
pub struct Started {
    pub(crate) pid: u32,
    pub(crate) elapsed: Duration,
    pub(crate) status: Option<String>,
}

impl Started {
    /// The server's process id. It is a child of this process: who lives on has a zombie of it after its end, until
    /// it is waited for.
    ///
    /// # References
    /// waitpid(2)
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How long it took from the start to being ready.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What the server said last about what it did (its last [`Ready::status`]).
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }
}

impl Launch {
    /// Whether to run in the background; what `--daemonize` sets.
    ///
    /// ```
    /// let background = std::env::var_os("MYDB_BACKGROUND").is_some();
    /// let ready = onready::Launch::default().daemonize(background).enter();
    /// # ready.notify().unwrap();
    /// ```
    pub fn daemonize(mut self, yes: bool) -> Self {
        self.settings.daemonize = yes;
        self
    }

    /// How long the server may take to be ready. The default, and zero, is no limit: a server that dies, or gives up,
    /// is seen without one. A server may ask for more with [`Ready::extend_timeout`].
    ///
    /// A server that is late gets SIGTERM, and SIGKILL five seconds later; the exit code is 124.
    ///
    /// ```
    /// let launch = onready::Launch::default().timeout(std::time::Duration::from_secs(90));
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.settings.timeout = Some(limit).filter(|limit| !limit.is_zero());
        self
    }

    /// Where stdout and stderr of a server in the background go, at the end of the file; the output of its start is
    /// in it too. A relative path is meant from the caller's directory. The default is `/dev/null`.
    ///
    /// It is opened by the launcher, with the caller's privileges. A link is followed if it belongs to the caller or
    /// to root.
    ///
    /// ```
    /// let launch = onready::Launch::default().log("/var/log/mydb.log");
    /// ```
    ///
    /// # References
    /// open(2): O_APPEND
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.log = Some(path.into());
        self
    }

    /// A file that holds the server's pid, and is locked as long as the server lives: a second start fails with
    /// [`StartError::AlreadyRunning`] before anything else happens. Not used in the foreground.
    ///
    /// Only the lock counts: what an earlier server has left in the file is no obstacle. A relative path is meant from
    /// the caller's directory. Links, and files of other users, are refused.
    ///
    /// ```
    /// let launch = onready::Launch::default().pid_file("/run/mydb.pid");
    /// ```
    ///
    /// # References
    /// flock(2)
    pub fn pid_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.pid_file = Some(path.into());
        self
    }

    /// The directory of a server in the background from `notify` on; `/` by default, so that no file system is kept
    /// busy. Until `notify` it is the caller's directory: relative paths of the command line mean what they say.
    ///
    /// ```
    /// let launch = onready::Launch::default().working_directory("/srv/mydb");
    /// ```
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.working_directory = Some(path.into());
        self
    }

    /// The mask of file modes of a server in the background, from `enter` on. The default is the caller's.
    ///
    /// ```
    /// let launch = onready::Launch::default().umask(0o027);
    /// ```
    ///
    /// # References
    /// umask(2)
    pub fn umask(mut self, mask: u32) -> Self {
        self.settings.umask = Some(mask);
        self
    }

    /// The user (a name or a number) that the server becomes inside `notify`, after it has opened what needs
    /// privileges and before ready is told; its groups become that user's. In the foreground too, if it runs as root.
    ///
    /// That there is such a user is checked by the launcher, before anything is started.
    ///
    /// ```
    /// let launch = onready::Launch::default().user("www-data");
    /// ```
    ///
    /// # References
    /// setgroups(2), setreuid(2), getgrouplist(3)
    pub fn user(mut self, name: impl Into<String>) -> Self {
        self.settings.user = Some(name.into());
        self
    }

    /// The group (a name or a number) that the server gets inside `notify`; the default is the user's own.
    ///
    /// ```
    /// let launch = onready::Launch::default().user("www-data").group("adm");
    /// ```
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.settings.group = Some(name.into());
        self
    }

    /// Starts the server. Only the server comes back from this: with `--daemonize`, the calling process is the
    /// launcher, which waits for the server's outcome, passes on what it prints meanwhile, and exits with 0 when it
    /// is ready, or with its exit code (see [`StartError::exit_code`]) and the reason on stderr.
    ///
    /// Call it early in `main`, before anything that should not be done twice: the server is this same program,
    /// started again with the same arguments.
    ///
    /// ```
    /// fn main() -> Result<(), onready::NotifyError> {
    ///     let ready = onready::Launch::default().enter();
    ///     // open, load, bind
    ///     ready.notify()
    ///     // serve
    /// }
    /// ```
    #[allow(clippy::disallowed_methods)] // ending the process is what it is for
    pub fn enter(self) -> Ready {
        match self.begin(true) {
            Ok(Role::Server(ready)) => ready,
            Ok(Role::Launcher(_)) => std::process::exit(0),
            Err(error) => {
                eprintln_quietly(&format!("{}: {error}", launcher::own_name()));
                std::process::exit(error.exit_code().into())
            }
        }
    }

    /// As [`Launch::enter`], but never ends the process: for a launcher that has other things to do, or says in its own
    /// words what came of it. Signals, threads and descriptors of the process are as before when it returns.
    ///
    /// ```
    /// use onready::{Launch, Role, StartError};
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     match Launch::default().daemonize(true).try_enter() {
    ///         Ok(Role::Server(ready)) => {
    /// #           let launcher = std::os::unix::process::parent_id();
    ///             ready.notify()?;
    ///             serve();
    /// #           while std::os::unix::process::parent_id() == launcher {
    /// #               std::thread::sleep(std::time::Duration::from_millis(1));
    /// #           }
    ///         }
    ///         Ok(Role::Launcher(server)) => println!("ready after {:?}, pid {}", server.elapsed(), server.pid()),
    ///         Err(StartError::AlreadyRunning { pid, .. }) => println!("it is there already: {pid:?}"),
    ///         Err(error) => return Err(error.into()),
    ///     }
    ///     Ok(())
    /// }
    /// # fn serve() {}
    /// ```
    ///
    /// # Errors
    /// In the launcher, why there is no ready server; nothing of it is left then. In any process, that the variable by
    /// which a server knows itself was forged, or that `enter` was called before.
    pub fn try_enter(self) -> Result<Role, StartError> {
        self.begin(false)
    }

    /// `alone`: this process has nothing else to do than to be a launcher.
    fn begin(self, alone: bool) -> Result<Role, StartError> {
        match claim(std::env::var_os(VARIABLE)) {
            Claim::Server(end) => Ok(Role::Server(Ready::in_background(self, end))),
            Claim::Refused(why) => Err(StartError::io("find out who started this process", std::io::Error::other(why))),
            Claim::None if self.settings.daemonize => self.launch(alone).map(Role::Launcher),
            Claim::None => Ok(Role::Server(Ready::in_foreground(self))),
        }
    }

    fn launch(&self, alone: bool) -> Result<Started, StartError> {
        #[cfg(feature = "verbs")]
        if let Some(named) = &self.settings.named {
            return named.launch(self, alone);
        }
        launcher::launch(self, alone, &mut |_| Ok(()))
    }
}

/// How long a stderr that nobody reads is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// As `eprintln!`, but neither a closed stderr is a reason to panic, nor one that nobody reads to wait for ever.
pub fn eprintln_quietly(line: &str) {
    let line = format!("{line}\n");
    let mut rest = line.as_bytes();
    while !rest.is_empty() && sys::can_write(rustix::stdio::stderr(), PATIENCE) {
        // Less than PIPE_BUF: what fits in, does not wait, and stays in one piece.
        match rustix::io::write(rustix::stdio::stderr(), &rest[..rest.len().min(4096)]) {
            Ok(written) => rest = &rest[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}
