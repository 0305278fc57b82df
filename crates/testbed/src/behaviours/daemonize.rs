//! Puts itself into the background as old daemons do: a child that starts a session, a grandchild in
//! it, and an exit of the one that was started.

use super::{Answer, Args, again, usage};
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd, read};
use rustix::pipe::{PipeFlags, pipe_with};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;

pub(super) const USAGE: &str = "[--code N] [--when at-once|ready] [--after-ms MS] [--pid-file F] [--single] [--keep-stdio] \
     [-- NEXT (listen)]   (ready: when NEXT listens)";

/// The variable that names the descriptor on which `listen` tells that it does.
pub(super) const READY_FD: &str = "FIXTURE_READY_FD";

/// The descriptor's number is beyond those that tests hand over.
const LOWEST: i32 = 200;

pub(super) fn run(mut args: Args) -> Answer {
    let code: u8 = args.number("--code")?.unwrap_or(0);
    let when = args.value("--when")?.unwrap_or_else(|| "at-once".into());
    let after = args.millis("--after-ms")?;
    let file = args.value("--pid-file")?;
    let single = args.flag("--single");
    let keep = args.flag("--keep-stdio");
    let next = args.rest()?;
    if when != "at-once" && when != "ready" {
        return Err(usage("--when at-once|ready"));
    }
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    let mut command = again()?;
    command.args(["session", "--setsid"]);
    if !keep {
        command.args(["--null", "--chdir", "/"]);
    }
    if !single {
        command.args(["--", "child", "--leave", "0"]);
    }
    if let Some(file) = file {
        command.args(["--", "pid-file", &absolute(&file)?]);
    }
    command.arg("--");
    if next.is_empty() {
        command.arg("listen");
    }
    command.args(next);
    let theirs = fcntl_dupfd_cloexec(theirs, LOWEST)?;
    if when == "ready" {
        fcntl_setfd(&theirs, FdFlags::empty())?;
        command.env(READY_FD, theirs.as_raw_fd().to_string());
    }
    let mut child = command.spawn()?;
    drop(theirs);
    if !single {
        let status = child.wait()?;
        if !status.success() {
            return Ok(u8::try_from(status.into_raw() & 255).unwrap_or(1).max(1));
        }
    }
    if when == "ready" && read(&ours, &mut [0; 1])? == 0 {
        // It died first.
        return Ok(1);
    }
    sleep(after);
    Ok(code)
}

/// The daemon works in `/`, so a path must not depend on the directory.
fn absolute(file: &str) -> std::io::Result<String> {
    let path = std::path::absolute(file)?;
    Ok(path.to_string_lossy().into_owned())
}
