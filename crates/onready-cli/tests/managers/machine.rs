//! A machine of its own, with systemd as PID 1.

use crate::{LONG, programs};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testbed::{Finished, Run, Sandbox};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/managers/sdbox");

const NEWER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/managers/newer-systemd");

/// Where servers listen in there; the network is its own.
pub const PORT: u16 = 7411;

/// A machine that runs. Dropping it ends all its processes.
pub struct Machine {
    sandbox: Sandbox,
    dir: PathBuf,
}

/// What every unit says: the machine has none of the usual targets.
fn unit(text: &str) -> String {
    format!("[Unit]\nDefaultDependencies=no\n{text}\n")
}

impl Machine {
    /// Boots one with these units (name, text); none where that is not allowed.
    #[track_caller]
    pub fn boot(units: &[(&str, &str)]) -> Option<Machine> {
        Machine::boot_with(units, "")
    }

    /// With a systemd that knows `Type=notify-reload`: this machine's, or one that lies over it.
    #[track_caller]
    pub fn boot_newer(units: &[(&str, &str)]) -> Option<Machine> {
        let found = Command::new(NEWER).arg(programs::target_dir()).output().expect("run newer-systemd");
        if found.status.code() == Some(3) {
            println!("skipped: {}", String::from_utf8_lossy(&found.stderr).trim());
            return None;
        }
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        Machine::boot_with(units, String::from_utf8_lossy(&found.stdout).trim())
    }

    #[track_caller]
    fn boot_with(units: &[(&str, &str)], layer: &str) -> Option<Machine> {
        let sandbox = Sandbox::new();
        let why_not = sandbox.run(SCRIPT, ["check"]).expect_code(0).out();
        if !why_not.is_empty() {
            println!("skipped: {}", why_not.trim());
            sandbox.finish();
            return None;
        }
        // The name of its cgroup, which must be nobody else's.
        let dir = sandbox.path(&format!("{}", sandbox.dir().file_name()?.to_string_lossy()));
        for folder in ["units", "bin"] {
            fs::create_dir_all(dir.join(folder)).expect("make a folder of the machine");
        }
        for (name, text) in units {
            fs::write(dir.join("units").join(name), unit(text)).expect("write a unit");
        }
        let bin = [programs::onready(), programs::pong(), testbed::fixture_path(), testbed::speaker_path()];
        for program in bin {
            let to = dir.join("bin").join(program.file_name().expect("a program's name"));
            fs::copy(&program, to).expect("copy a program into the machine");
        }
        let machine = Machine { sandbox, dir };
        machine.script("start", &[layer]).expect_code(0);
        Some(machine)
    }

    #[track_caller]
    fn script(&self, verb: &str, words: &[&str]) -> Finished {
        let mut command: Command = self.sandbox.command(SCRIPT);
        command.arg(verb).arg(&self.dir).args(words);
        // systemd keeps the console, which is a file, and nothing of the caller's.
        Run::new(command).limit(LONG).done().expect_free()
    }

    /// Runs a command in there.
    #[track_caller]
    pub fn exec(&self, words: &[&str]) -> Finished {
        let clean = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
        self.script("exec", &[&clean, words].concat())
    }

    #[track_caller]
    pub fn systemctl(&self, words: &[&str]) -> Finished {
        self.exec(&[&["systemctl"], words].concat())
    }

    /// A property of a unit.
    #[track_caller]
    pub fn show(&self, unit: &str, property: &str) -> String {
        let shown = self.systemctl(&["show", "--value", "-p", property, unit]).expect_code(0);
        shown.out().trim().to_owned()
    }

    /// The command line of the unit's main process.
    #[track_caller]
    pub fn main_process(&self, unit: &str) -> String {
        let file = format!("/proc/{}/cmdline", self.show(unit, "MainPID"));
        self.exec(&["cat", &file]).expect_code(0).out().replace('\0', " ")
    }

    /// One client, one attempt.
    #[track_caller]
    pub fn assert_pong(&self) {
        let ask = format!("exec 3<>/dev/tcp/127.0.0.1/{PORT} && cat <&3");
        let answer = self.exec(&["bash", "-c", &ask]).expect_code(0);
        assert_eq!(answer.out(), "pong\n");
    }

    /// Stops the unit: its end is a success, and nothing is left of it.
    #[track_caller]
    pub fn assert_stops(&self, unit: &str) {
        self.systemctl(&["stop", unit]).expect_code(0);
        assert_eq!(self.show(unit, "ActiveState"), "inactive");
        assert_eq!(self.show(unit, "Result"), "success");
        let tasks = self.exec(&["cat", &format!("/sys/fs/cgroup/system.slice/{unit}/cgroup.procs")]);
        assert_eq!(tasks.out(), "", "processes are left");
    }

    /// Ends the machine, and the test.
    pub fn halt(self) {
        drop(self);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let dir: &Path = &self.dir;
        let stopped = self.sandbox.command(SCRIPT).arg("stop").arg(dir).status();
        if !std::thread::panicking() {
            assert!(stopped.is_ok_and(|status| status.success()), "the machine did not stop");
        }
    }
}
