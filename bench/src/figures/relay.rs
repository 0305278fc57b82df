//! One GiB of start-up output into `cat`.

use std::io;
use std::process::{Command, Stdio};

use bench::shot::{Line, now_ns};
use bench::sys::{self, Ended};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::milliseconds;
use crate::context::Context;
use crate::report::Row;

fn bytes(context: &Context) -> String {
    (context.size(1024, 64) * 1024 * 1024).to_string()
}

/// `line | cat >/dev/null`, until both have ended.
fn into_cat(line: &mut Line) -> io::Result<f64> {
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let pipe = cat.stdin.take().ok_or_else(|| io::Error::other("no pipe to cat"))?;
    let command = line.command();
    command.stdin(Stdio::null()).stdout(Stdio::from(pipe)).stderr(Stdio::null());
    let start = now_ns();
    let child = command.spawn()?;
    // Our own copy of the pipe has to go, or cat would wait for us.
    command.stdout(Stdio::null());
    let ended = sys::wait4(i32::try_from(child.id()).unwrap_or(-1))?;
    let cat = end_of(i32::try_from(cat.id()).unwrap_or(-1))?;
    let elapsed = milliseconds(now_ns() - start);
    line.check(ended)?;
    if cat.code != 0 {
        return Err(io::Error::other(format!("cat ended with code {}", cat.code)));
    }
    Ok(elapsed)
}

/// The end of `cat`, which does not come while a server still holds the launcher's stdout.
fn end_of(pid: i32) -> io::Result<Ended> {
    const PATIENCE: Timespec = Timespec { tv_sec: 20, tv_nsec: 0 };
    let id = Pid::from_raw(pid).ok_or_else(|| io::Error::other("no process id"))?;
    let end = pidfd_open(id, PidfdFlags::empty())?;
    if poll(&mut [PollFd::new(&end, PollFlags::IN)], Some(&PATIENCE))? == 0 {
        return Err(io::Error::other(
            "cat still waits 20 s after the launcher's end: the server holds the caller's stdout",
        ));
    }
    sys::wait4(pid)
}

pub fn library(context: &Context) -> io::Result<Vec<Row>> {
    let bytes = bytes(context);
    let server = context.program("bench-flood-library")?;
    let mut ours = Line::new(&server)?.args([bytes.as_str(), "--daemonize"]);
    let mut plain = Line::new(&server)?.args([bytes.as_str(), "--end"]);
    let values =
        context.alternate(context.runs(15), &mut [&mut || into_cat(&mut ours), &mut || into_cat(&mut plain)])?;
    let name = format!("{bytes} bytes: server --daemonize | cat / server | cat");
    Ok(vec![Row::ratio(&name, "ms", &values[0], &values[1])?.at_most(1.0)])
}

pub fn program(context: &Context) -> io::Result<Vec<Row>> {
    let bytes = bytes(context);
    let server = context.program("bench-flood")?;
    let mut ours = context.onready()?.args(["--until", "fd:3", "--"]).args([&server]).args([bytes.as_str(), "3"]);
    let mut plain = Line::new(&server)?.args([bytes.as_str()]);
    let values =
        context.alternate(context.runs(15), &mut [&mut || into_cat(&mut ours), &mut || into_cat(&mut plain)])?;
    let name = format!("{bytes} bytes: onready -- server | cat / server | cat");
    let note = "at least 0.9 of the speed; the program also writes a log file, here on the disk of the scratch folder";
    Ok(vec![Row::ratio(&name, "ms", &values[0], &values[1])?.at_most(1.0 / 0.9).note(note)])
}
