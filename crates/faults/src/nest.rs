//! A private home for one attack, the two faces in it, and what can be seen of them from outside.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testbed::{Finished, Run, Sandbox};

/// How long what was killed may take to be gone.
const DYING: Duration = Duration::from_secs(4);

/// Which face is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// `pong --daemonize`: a server with the library in it.
    Library,
    /// `onready -- COMMAND`: a server that knows nothing of us.
    Program,
}

/// Both.
pub const FACES: [Face; 2] = [Face::Library, Face::Program];

impl Face {
    /// Its name on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Face::Library => "library",
            Face::Program => "program",
        }
    }
}

/// The folder of the programs that are attacked.
#[derive(Clone, Debug)]
pub struct Programs(pub PathBuf);

impl Programs {
    /// The server with the library in it.
    #[must_use]
    pub fn pong(&self) -> PathBuf {
        self.0.join("pong")
    }

    /// A server with the library in it that does whatever it is told.
    #[must_use]
    pub fn hostile(&self) -> PathBuf {
        self.0.join("hostile")
    }

    /// The program.
    #[must_use]
    pub fn onready(&self) -> PathBuf {
        self.0.join("onready")
    }

    /// The fixture; the one that can speak sd_notify, if it is to.
    #[must_use]
    pub fn fixture(&self, speaks: bool) -> PathBuf {
        self.0.join(if speaks { "fixture-notify" } else { "fixture" })
    }
}

/// The home.
pub struct Nest {
    /// Where everything lies.
    pub sandbox: Sandbox,
    programs: Programs,
}

/// What came of one start.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The launcher's exit code.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// It did not end in time.
    pub hung: bool,
    /// Its pid.
    pub pid: i32,
}

impl Seen {
    /// Of a launcher that has ended.
    #[must_use]
    pub fn of(run: &Finished, pid: i32) -> Seen {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&run.stdout), text(&run.stderr));
        Seen { code: run.code, signal: run.signal, stdout, stderr, hung: false, pid }
    }
}

impl Nest {
    /// A new one. What servers and logs leave below `state` and `work` is theirs.
    #[must_use]
    pub fn new(programs: &Programs) -> Nest {
        Nest { sandbox: Sandbox::new(), programs: programs.clone() }
    }

    /// Where the server listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.sandbox.path("socket")
    }

    /// The pid file.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.sandbox.runtime_dir().join("pid")
    }

    /// A start, as a user types it.
    #[must_use]
    pub fn start(&self, face: Face) -> Command {
        let _ = std::fs::remove_file(self.socket());
        let mut command = match face {
            Face::Library => self.sandbox.command(self.programs.pong()),
            Face::Program => self.sandbox.command(self.programs.onready()),
        };
        match face {
            Face::Library => {
                command.args(["--daemonize", "--timeout-ms", "9000"]);
                command.arg("--listen").arg(self.socket()).arg("--log").arg(self.sandbox.path("log"));
                command.arg("--pid-file").arg(self.pid_file());
            }
            Face::Program => {
                command.args(["-n", "web", "-t", "9s", "--pid-file"]).arg(self.pid_file()).arg("--");
                command.arg(self.programs.fixture(true)).args(["listen", "--announce", "--unix"]).arg(self.socket());
                command.args(["--background", "--", "notify", "READY=1"]);
            }
        }
        command
    }

    /// Runs a start to its end.
    #[must_use]
    pub fn run(&self, command: Command, limit: Duration) -> Seen {
        let running = Run::new(command).limit(limit + DYING).start();
        let pid = running.pid();
        if !running.wait_exit(limit) {
            return Seen { hung: true, pid, ..Seen::default() };
        }
        let run = running.done();
        Seen::of(&run, pid)
    }

    /// Asks the server once.
    ///
    /// # Errors
    /// It does not answer.
    pub fn ask(&self) -> Result<(), String> {
        match testbed::ping_unix(self.socket()) {
            Ok(answer) if answer.starts_with("pong") => Ok(()),
            Ok(answer) => Err(format!("the answer is {answer:?}")),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether a start that is said to be ready has kept the rest of its promise: the server's output came, and the pid
    /// file names it; what is not so was told.
    ///
    /// # Errors
    /// What was neither done nor told.
    pub fn kept_promise(&self, seen: &Seen) -> Result<(), String> {
        let told = ["could not be delivered", "cannot read the server's", "has not been shown"];
        let told = told.iter().any(|words| seen.stderr.contains(words));
        if !seen.stdout.contains("listening on") && !told {
            return Err(format!("ready, and its output has not come: {:?} {:?}", seen.stdout, seen.stderr));
        }
        let file = std::fs::read_to_string(self.pid_file()).unwrap_or_default();
        let named: Option<i32> = file.strip_suffix('\n').and_then(|pid| pid.parse().ok());
        let is_ours = named.is_some_and(|named| self.sandbox.processes().iter().any(|(pid, _)| *pid == named));
        if !is_ours && !seen.stderr.contains(&self.pid_file().display().to_string()) {
            let there = self.sandbox.processes();
            return Err(format!("ready, and the pid file holds {file:?}: {:?}; there are {there:?}", seen.stderr));
        }
        Ok(())
    }

    /// The processes that stay, of those that are not on their way out.
    #[must_use]
    pub fn left_processes(&self) -> Vec<String> {
        if self.sandbox.wait_empty(DYING) {
            return Vec::new();
        }
        self.sandbox.processes().into_iter().map(|(pid, line)| format!("process {pid} {line}")).collect()
    }

    /// Files that nobody should have left: no logs, and no locks, which are kept on purpose.
    #[must_use]
    pub fn left_files(&self, launcher: i32) -> Vec<String> {
        // A failed start of a given name is on record, for `status`; an empty pid file that nobody holds is one that
        // could not be locked, and then it is not ours to remove.
        let pid_file = self.pid_file();
        let empty = std::fs::metadata(&pid_file).is_ok_and(|stat| stat.len() == 0);
        let kept = |file: &String| {
            file.contains("/log")
                || file.contains("state/")
                || [".lock", "/web.state"].iter().any(|end| file.ends_with(end))
                || (file == "run/pid" && empty)
        };
        let mut files: Vec<String> = self.sandbox.files().into_iter().filter(|file| !kept(file)).collect();
        let notify = Path::new("/run/onready-notify").join(launcher.to_string());
        files.extend(notify.exists().then(|| notify.display().to_string()));
        files
    }

    /// The next start, after all of this, is an ordinary one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn starts_again(&self, face: Face) -> Result<(), String> {
        self.sandbox.kill_all();
        let seen = self.run(self.start(face), Duration::from_secs(20));
        let answers = seen.code == Some(0) && self.ask().is_ok();
        match answers {
            true => Ok(()),
            false => Err(format!("the next start came to {:?} {}", seen.code, seen.stderr.trim())),
        }
    }

    /// Wakes what a tracer that has gone may have left stopped: a new thread begins so.
    pub fn wake_all(&self) {
        let processes = self.sandbox.processes();
        // The kernel lets go of them a little after the tracing thread can be joined.
        while processes.iter().any(|(pid, _)| is_traced(*pid)) {
            std::thread::yield_now();
        }
        for (pid, _) in processes {
            testbed::send_signal(pid, "CONT");
        }
    }

    /// The end of it: what was left has been judged.
    pub fn clear(self) {
        self.sandbox.kill_all();
        self.sandbox.allow("**");
        self.sandbox.finish();
    }
}

fn is_traced(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix("TracerPid:")).is_some_and(|tracer| tracer.trim() != "0")
}
