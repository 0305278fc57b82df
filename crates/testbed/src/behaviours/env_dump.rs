//! Writes down how it was started: environment, descriptors, directory, masks, session.

use super::{Answer, Args, report};
use crate::Process;
use crate::process::own_pid;
use std::fmt::Write;

pub(super) const USAGE: &str = "FILE [-- NEXT]   (lines: pid, ppid, sid, pgrp, tty, cwd, umask, nice, blocked, ignored, caught, \
     uids, gids, groups, nofile, comm, argv.N, fd.N, env.NAME)";

pub(super) fn run(mut args: Args) -> Answer {
    let file = args.word("FILE")?;
    // Before any file is opened, which could take the number of a closed stream.
    let us = Process::of(own_pid())?;
    report(file, &lines(&us).iter().map(|(k, v)| (k.as_str(), v.clone())).collect::<Vec<_>>())?;
    args.then()
}

fn list(numbers: &[u32]) -> String {
    let mut text = String::new();
    for number in numbers {
        // Writing to a String does not fail.
        let _ = write!(text, "{}{number}", if text.is_empty() { "" } else { " " });
    }
    text
}

fn lines(us: &Process) -> Vec<(String, String)> {
    let simple = [
        ("pid", us.pid.to_string()),
        ("ppid", us.ppid.to_string()),
        ("sid", us.session.to_string()),
        ("pgrp", us.pgrp.to_string()),
        ("tty", us.tty_nr.to_string()),
        ("cwd", us.cwd.display().to_string()),
        ("umask", format!("{:03o}", us.umask)),
        ("nice", us.nice.to_string()),
        ("blocked", format!("{:016x}", us.blocked)),
        ("ignored", format!("{:016x}", us.ignored)),
        ("caught", format!("{:016x}", us.caught)),
        ("uids", list(&us.uids)),
        ("gids", list(&us.gids)),
        ("groups", list(&us.groups)),
        ("nofile", us.limits.get("Max open files").map_or(String::new(), |limit| limit.0.clone())),
        ("comm", us.comm.clone()),
    ];
    let mut all: Vec<_> = simple.map(|(key, value)| (key.to_owned(), value)).into();
    let numbered = us.cmdline.iter().enumerate();
    all.extend(numbered.map(|(at, word)| (format!("argv.{at}"), word.clone())));
    // The listing of the directory was itself open while it was read.
    let own = format!("/proc/{}/fd", us.pid);
    let fds = us.fds.iter().filter(|(_, target)| **target != own);
    all.extend(fds.map(|(fd, target)| (format!("fd.{fd}"), target.clone())));
    all.extend(us.environ.iter().map(|(name, value)| (format!("env.{name}"), value.clone())));
    all
}
