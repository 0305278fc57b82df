//! A place for one server: a sandbox, an address of its own, and `onready` to start and stop it.

use crate::way::Way;
use serde_json::Value;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use testbed::{Finished, Process, Run, Sandbox};

/// No number that the kernel gives away by itself; each bed has another address of the loopback network.
const PORT: u16 = 7411;
const LIMIT: Duration = Duration::from_secs(60);

/// The place of one test.
pub struct Bed {
    pub sandbox: Sandbox,
    /// Where the server is to listen.
    pub addr: SocketAddr,
}

/// A server as `--json` reported it.
pub struct Server {
    pub report: Value,
}

impl Server {
    fn text(&self, key: &str) -> String {
        self.report[key].as_str().unwrap_or_default().to_owned()
    }

    pub fn name(&self) -> String {
        self.text("name")
    }

    pub fn ready_by(&self) -> String {
        self.text("ready_by")
    }

    pub fn pid(&self) -> i32 {
        self.report["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default()
    }

    pub fn listens_on(&self, address: &str) -> bool {
        self.report["listening"].as_array().is_some_and(|all| all.iter().any(|one| one == address))
    }
}

impl Bed {
    pub fn new() -> Bed {
        static BEDS: AtomicU8 = AtomicU8::new(0);
        let [_, high, middle, low] = std::process::id().to_be_bytes();
        let bed = BEDS.fetch_add(1, Ordering::Relaxed);
        // 22 bits of a pid and the number of the bed, folded into the 24 that 127.0.0.0/8 offers.
        let ip = Ipv4Addr::new(127, 64 + ((high & 63) ^ (middle >> 2)), low, 1 + bed % 250);
        let sandbox = Sandbox::new();
        sandbox.open_to_others();
        Bed { sandbox, addr: SocketAddr::new(IpAddr::V4(ip), PORT) }
    }

    pub fn ip(&self) -> IpAddr {
        self.addr.ip()
    }

    pub fn path(&self, name: &str) -> String {
        self.sandbox.path(name).display().to_string()
    }

    /// Writes a file into the working directory.
    pub fn file(&self, name: &str, text: impl AsRef<str>) -> String {
        fs::write(self.path(name), text.as_ref()).expect("write a file of the test");
        self.path(name)
    }

    /// Writes a program.
    pub fn script(&self, name: &str, text: impl AsRef<str>) -> String {
        let path = self.file(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("make a script executable");
        path
    }

    /// Makes a directory that every user may write to, since some servers become another one.
    pub fn folder(&self, name: &str) -> String {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("make a directory of the test");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("open a directory");
        path
    }

    fn onready(&self) -> Command {
        self.sandbox.command(env!("CARGO_BIN_EXE_onready"))
    }

    /// Runs a command of the test's preparations.
    #[track_caller]
    pub fn prepare(&self, words: &[&str]) -> Finished {
        let mut command = self.sandbox.command(words[0]);
        command.args(&words[1..]);
        Run::new(command).limit(LIMIT).done().expect_code(0)
    }

    /// Starts the server this way, whatever comes of it.
    #[track_caller]
    pub fn run(&self, way: &Way) -> Finished {
        let mut command = self.onready();
        command.args(["--json", "--timeout", "30s"]).args(&way.options).arg("--").args(&way.command);
        Run::new(command).limit(LIMIT).done()
    }

    /// Starts the server this way.
    #[track_caller]
    pub fn start(&self, way: &Way) -> Server {
        let run = self.run(way).expect_code(0).expect_free();
        let report = serde_json::from_str(&run.out()).unwrap_or_else(|error| panic!("no JSON: {error}\n{run}"));
        Server { report }
    }

    /// Stops the server and looks that nothing of it is left.
    #[track_caller]
    pub fn stop(&self, server: &Server) -> Duration {
        let mut command = self.onready();
        command.args(["stop", &server.name()]);
        let stopped = Run::new(command).limit(LIMIT).done().expect_code(0);
        let left = self.sandbox.processes();
        assert!(left.is_empty(), "stop left {left:?}\n{stopped}");
        stopped.elapsed
    }

    /// What the report says of the server's processes must be so.
    #[track_caller]
    pub fn inspect(&self, way: &Way, server: &Server) {
        let allowed: Vec<&str> = way.ready_by.split(" or ").collect();
        assert!(allowed.contains(&server.ready_by().as_str()), "not by {}: {}", way.ready_by, server.report);
        let process = Process::of(server.pid()).unwrap_or_else(|error| panic!("{error}: {}", server.report));
        assert_ne!(process.state, 'Z', "{}", server.report);
        if way.listens {
            assert!(server.listens_on(&self.addr.to_string()), "{}", server.report);
        }
        if let Some(file) = &way.pid_file {
            // Some write it after they are ready.
            let text = testbed::wait_for_file(Path::new(file), Duration::from_secs(5));
            let first = text.split_whitespace().next().unwrap_or_default();
            assert_eq!(first, server.pid().to_string(), "the pid in {file}; {}", server.report);
            fs::remove_file(file).expect("remove the pid file, for some servers do not");
        }
    }

    /// A configuration that the server refuses: its own words and its own exit code come through.
    #[track_caller]
    pub fn refuses(&self, way: &Way, words: &str) {
        let mut command = self.sandbox.command(&way.command[0]);
        command.args(&way.command[1..]);
        let alone = Run::new(command).done();
        let alone_says = format!("{}{}", alone.out(), alone.err());
        assert!(alone_says.contains(words), "the test expects {words:?}\n{alone}");
        let run = self.run(way);
        assert_ne!(alone.code, Some(0), "the test expects a refusal\n{alone}");
        assert_eq!(run.code, alone.code, "\n{run}");
        assert!(run.err().contains(words), "{words:?} is not told\n{run}");
        let report: Value = serde_json::from_str(&run.out()).unwrap_or_else(|error| panic!("{error}\n{run}"));
        assert_eq!(report["outcome"], "exited", "\n{run}");
        let left = self.sandbox.processes();
        assert!(left.is_empty(), "a failed start left {left:?}");
    }

    /// Ends the test: nothing may be left but the state of names and what the server wrote where it was told to.
    pub fn finish(self) {
        self.sandbox.allow("run/onready/**").allow("state/onready/**");
        self.sandbox.finish();
    }
}

/// The directory of programs that are not in everybody's PATH.
pub fn system_program(name: &str) -> String {
    let folders = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
    let found = folders.iter().map(|folder| PathBuf::from(folder).join(name)).find(|path| path.exists());
    let found = found.unwrap_or_else(|| panic!("{name} is not installed: run scripts/install-system-packages"));
    found.display().to_string()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
