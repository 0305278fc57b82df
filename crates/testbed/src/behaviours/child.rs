//! Does the next behaviour in a child, as a shell script or a supervisor does.

use super::{Answer, Args, again};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::sleep;

pub(super) const USAGE: &str = "[--setsid | --setpgid] [--null] [--count N] [--leave CODE [--leave-after-ms MS]] -- NEXT   \
     (exits with the child's code; --leave: exits and leaves it)";

pub(super) fn run(mut args: Args) -> Answer {
    let mut flags = Vec::new();
    for flag in ["--setsid", "--setpgid", "--null"] {
        if args.flag(flag) {
            flags.push(flag);
        }
    }
    let count: usize = args.number("--count")?.unwrap_or(1);
    let leave: Option<u8> = args.number("--leave")?;
    let leave_after = args.millis("--leave-after-ms")?;
    let next = args.rest()?;
    let mut children = Vec::new();
    for _ in 0..count {
        let mut command: Command = again()?;
        command.arg("session").args(&flags).arg("--").args(&next);
        children.push(command.stdin(Stdio::inherit()).spawn()?);
    }
    if let Some(code) = leave {
        sleep(leave_after);
        return Ok(code);
    }
    let mut last = 0;
    for mut child in children {
        let status = child.wait()?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        last = u8::try_from(code & 255).unwrap_or(0);
    }
    Ok(last)
}
