//! `exec:COMMAND`: a shell command of the caller's that knows how to ask.

use super::Remark;
use crate::world::SharedFamily;
use onready::engine::{End, Event, Interest, Process, Source, describe};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How long after a refusal it is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// The condition.
pub struct Exec {
    sign: usize,
    command: OsString,
    directory: PathBuf,
    family: SharedFamily,
    running: Option<Process>,
    again: Duration,
    now: Duration,
    over: bool,
    remark: Remark,
}

impl Exec {
    /// In this directory; what it starts is not the server's.
    pub fn new(sign: usize, command: OsString, directory: &Path, family: SharedFamily, remark: Remark) -> Exec {
        let (zero, directory) = (Duration::ZERO, directory.into());
        Exec { sign, command, directory, family, remark, running: None, again: zero, now: zero, over: false }
    }

    fn ask(&mut self, events: &mut Vec<Event>) {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&self.command).current_dir(&self.directory);
        // A group of its own, so that all it starts can be ended with it.
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(child) => {
                self.family.borrow_mut().ignore(child.id() as i32);
                self.running = Some(Process::child(child.id() as i32));
            }
            Err(error) => events.push(Event::Failed(format!("cannot run exec:{:?}: {error}", self.command))),
        }
    }

    fn hear(&mut self, events: &mut Vec<Event>) {
        let Some(process) = &mut self.running else { return };
        let Some(end) = process.end() else { return };
        end_group(process.pid());
        process.reap();
        self.family.borrow_mut().heed(process.pid());
        self.running = None;
        self.again = self.now + PAUSE;
        if end == End::Code(0) {
            self.over = true;
            events.push(Event::Sign(self.sign));
        } else {
            let command = self.command.to_string_lossy();
            self.remark.replace(Some(format!("`{command}` {} the last time", describe(end))));
        }
    }
}

impl Source for Exec {
    fn interest(&self, want: &mut Interest) {
        match self.running.as_ref().map(Process::fd) {
            _ if self.over => {}
            Some(Some(fd)) => want.read(fd),
            Some(None) => want.within(PAUSE),
            None => want.within(self.again.saturating_sub(self.now)),
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        self.hear(events);
        if !self.over && self.running.is_none() && now >= self.again {
            self.ask(events);
        }
    }

    fn settle(&mut self) {
        self.over = true;
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        if let Some(process) = &self.running {
            process.signal(Signal::KILL);
            end_group(process.pid());
            process.reap();
        }
    }
}

/// Whatever a question has left running is nobody's. Its leader is not reaped yet, so the number is its own.
fn end_group(leader: i32) {
    let _ = Pid::from_raw(leader).map(|group| kill_process_group(group, Signal::KILL));
}
