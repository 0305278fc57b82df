//! A private home for one test, and the proof that nothing was left behind.

use crate::files::{files_below, fresh_directory, make_private, matches};
use crate::process::{kill, wait_gone};
use crate::run::Run;
use crate::{Finished, fixture_path, speaker_path, tagged};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The variable that marks every process which descends from a test.
const TAG: &str = "ONREADY_TESTBED";

/// What a command of a sandbox inherits from the test's own environment; everything else is private
/// or absent, above all the notify socket and the listening descriptors of a service manager.
const INHERITED: [&str; 8] =
    ["PATH", "LANG", "TERM", "USER", "LOGNAME", "RUST_BACKTRACE", "LLVM_PROFILE_FILE", "LD_LIBRARY_PATH"];

/// The directories in which no file may be left, below the sandbox's own.
const WATCHED: [&str; 4] = ["home", "run", "state", "tmp"];

/// How long a process that has been sent `SIGKILL` may take to end.
const DYING: Duration = Duration::from_secs(5);

/// A directory, an environment and a tag for one test.
///
/// Below [`dir`](Self::dir) lie `home` (HOME), `run` (XDG_RUNTIME_DIR), `state` (XDG_STATE_HOME), `tmp`
/// (TMPDIR) and `work`, the working directory of its commands and the place for the test's own files.
///
/// At the end (by [`finish`](Self::finish), or when it is dropped) every process that is left is killed,
/// the directory is removed, and the test fails if there was such a process, or a file in one of the first
/// four directories that was not [allowed](Self::allow).
#[derive(Debug)]
pub struct Sandbox {
    dir: PathBuf,
    tag: String,
    allowed: Mutex<Vec<String>>,
    finished: bool,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// Makes the directories.
    ///
    /// # Panics
    ///
    /// When they cannot be made.
    #[must_use]
    pub fn new() -> Self {
        // Whoever runs the tests in the background of a script has them ignore Ctrl-C; what is tested must not.
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
            crate::sys::default_signal(signal).expect("give a signal its default action");
        }
        let dir = fresh_directory().expect("make the sandbox's directory");
        for name in WATCHED.iter().chain(&["work"]) {
            make_private(&dir.join(name)).expect("make a directory of the sandbox");
        }
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let tag = format!("{TAG}={name}");
        Self { dir, tag, allowed: Mutex::default(), finished: false }
    }

    /// The sandbox's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The path of a file of the test itself, in the working directory of its commands.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join("work").join(name)
    }

    /// HOME of the sandbox's commands.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// XDG_RUNTIME_DIR of the sandbox's commands.
    #[must_use]
    pub fn runtime_dir(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// XDG_STATE_HOME of the sandbox's commands.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }

    /// TMPDIR of the sandbox's commands.
    #[must_use]
    pub fn temp_dir(&self) -> PathBuf {
        self.dir.join("tmp")
    }

    /// The whole environment of the sandbox's commands, the tag included.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let inherited = INHERITED.iter().filter_map(|name| {
            let value = std::env::var_os(name)?;
            Some((OsString::from(name), value))
        });
        let own = [
            ("HOME", self.home().into_os_string()),
            ("XDG_RUNTIME_DIR", self.runtime_dir().into_os_string()),
            ("XDG_STATE_HOME", self.state_dir().into_os_string()),
            ("TMPDIR", self.temp_dir().into_os_string()),
            (TAG, OsString::from(&self.tag[TAG.len() + 1..])),
        ];
        let own = own.into_iter().map(|(name, value)| (OsString::from(name), value));
        inherited.chain(own).collect()
    }

    /// A command in the sandbox's environment and working directory.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment());
        command.current_dir(self.dir.join("work"));
        command
    }

    /// The fixture with these words: the speaking one if `notify` or `speaker` is among them.
    pub fn fixture<I: IntoIterator<Item: Into<OsString>>>(&self, words: I) -> Command {
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let speaks = words.iter().any(|word| word == "notify" || word == "speaker");
        let program = if speaks { speaker_path() } else { fixture_path() };
        let mut command = self.command(program);
        command.args(words);
        command
    }

    /// Runs a program to its end with the usual limit.
    ///
    /// # Panics
    ///
    /// When it cannot be started, or does not end in time.
    #[track_caller]
    pub fn run<I: IntoIterator<Item: AsRef<OsStr>>>(&self, program: impl AsRef<OsStr>, words: I) -> Finished {
        let mut command = self.command(program);
        command.args(words);
        Run::new(command).done()
    }

    /// Copies a program into the sandbox under another name, readable for everyone, and returns its path.
    /// (A server started from there counts as the sandbox's even without the tag.)
    ///
    /// # Panics
    ///
    /// When it cannot be copied.
    #[must_use]
    pub fn install(&self, program: &Path, name: &str) -> PathBuf {
        let to = self.path(name);
        fs::copy(program, &to).expect("copy a program into the sandbox");
        to
    }

    /// Allows other users to enter the sandbox (not its home, runtime and state directories), for servers
    /// that drop privileges.
    ///
    /// # Panics
    ///
    /// When the modes cannot be changed.
    pub fn open_to_others(&self) {
        use std::os::unix::fs::PermissionsExt;
        for (dir, mode) in [(self.dir.clone(), 0o711), (self.dir.join("work"), 0o777)] {
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(dir, mode).expect("open the sandbox to others");
        }
    }

    /// Allows files to be left in the watched directories: a path below the sandbox's directory or an
    /// absolute one, in which `*` and `?` match within a name and `**` across directories.
    pub fn allow(&self, pattern: impl AsRef<str>) -> &Self {
        let mut allowed = self.allowed.lock().expect("no panic while it was held");
        allowed.push(pattern.as_ref().to_owned());
        self
    }

    /// The living processes (no zombies) that descend from this test or hold something in its directory,
    /// with their command lines, without the test's own process.
    #[must_use]
    pub fn processes(&self) -> Vec<(i32, String)> {
        tagged::processes(&self.tag, &self.dir)
    }

    /// The files that lie in the watched directories and are not allowed, relative to [`dir`](Self::dir).
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        let allowed = self.allowed.lock().expect("no panic while it was held");
        let absolute = |pattern: &String| match pattern.starts_with('/') {
            true => pattern.clone(),
            false => format!("{}/{pattern}", self.dir.display()),
        };
        let allowed: Vec<String> = allowed.iter().map(absolute).collect();
        let all = WATCHED.iter().flat_map(|name| files_below(&self.dir.join(name)));
        let left = all.filter(|path| {
            let path = path.to_string_lossy();
            !allowed.iter().any(|pattern| matches(pattern, &path))
        });
        left.map(|path| path.strip_prefix(&self.dir).unwrap_or(&path).display().to_string()).collect()
    }

    /// Kills all processes of this sandbox and waits for their end, for a test whose server is to stay.
    /// Returns how many there were.
    ///
    /// # Panics
    ///
    /// When one does not end.
    #[track_caller]
    pub fn kill_all(&self) -> usize {
        let mut count = 0;
        // A process may start another one between the look and the kill.
        loop {
            let found = self.processes();
            if found.is_empty() {
                tagged::wait_for_exiting(DYING);
                return count;
            }
            count += found.len();
            for (pid, _) in &found {
                kill(*pid);
            }
            for (pid, line) in &found {
                assert!(wait_gone(*pid, DYING), "{pid} {line} survives SIGKILL");
            }
        }
    }

    /// Waits until all processes of this sandbox have ended by themselves; false if one still lives.
    #[must_use]
    pub fn wait_empty(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let found = self.processes();
            let left = || deadline.saturating_duration_since(Instant::now());
            match found.first() {
                None => {
                    tagged::wait_for_exiting(DYING);
                    return true;
                }
                Some((pid, _)) if !wait_gone(*pid, left()) => return false,
                Some(_) => {}
            }
        }
    }

    /// Ends the sandbox.
    ///
    /// # Panics
    ///
    /// When a process or a file was left; the message lists them.
    #[track_caller]
    pub fn finish(mut self) {
        self.end();
    }

    /// Processes that have been killed may still be on their way out: those are waited for, others not.
    fn leftover_processes(&self) -> Vec<(i32, String)> {
        let found = self.processes();
        let dead = |pid: i32| tagged::is_dying(pid) && wait_gone(pid, DYING);
        found.into_iter().filter(|(pid, _)| !dead(*pid)).collect()
    }

    #[track_caller]
    fn end(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let processes = self.leftover_processes();
        let files = self.files();
        self.kill_all();
        let removed = fs::remove_dir_all(&self.dir);
        let mut report = String::new();
        for (pid, line) in processes {
            report += &format!("  process {pid}: {line}\n");
        }
        for file in files {
            report += &format!("  file {file}\n");
        }
        if let Err(error) = removed {
            report += &format!("  {}: {error}\n", self.dir.display());
        }
        if report.is_empty() {
            return;
        }
        let report = format!("the test left behind:\n{report}");
        if std::thread::panicking() {
            eprintln!("{report}");
        } else {
            panic!("{report}");
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}
