//! `bench-steps [--code N] [--addresses] COMMAND [ARG]...`: run COMMAND, which has to end with code N (0), one
//! instruction at a time and print how many it took; or the address of each that it came to, in the order of the first
//! time, in hexadecimal.
//!
//! Only the process itself is counted, in user space, dynamic linking included and its children not. callgrind can't
//! do this: a launcher that starts its server by clone(CLONE_VM | CLONE_VFORK) and clone(CLONE_PARENT) gets an
//! ordinary fork from valgrind 3.19 (seen: memory not shared, the second child not found by waitpid).

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};

use bench::sys::{self, Stop};

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut wanted = 0;
    if args.len() > 2 && args[0] == "--code" {
        wanted = args[1].to_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        args.drain(..2);
    }
    let lists = args.first().is_some_and(|word| word == "--addresses");
    args.drain(..usize::from(lists));
    match walked(&args) {
        Ok((walk, code)) if code == wanted => {
            let print = || match lists {
                true => walk.order.iter().try_for_each(|address| writeln!(io::stdout(), "{address:x}")),
                false => writeln!(io::stdout(), "{}", walk.steps),
            };
            print().map_or_else(|error| fail(&error), |()| ExitCode::SUCCESS)
        }
        Ok((_, code)) => fail(&io::Error::other(format!("the command ended with code {code}"))),
        Err(error) => fail(&error),
    }
}

fn fail(error: &io::Error) -> ExitCode {
    eprintln!("bench-steps: {error}");
    ExitCode::FAILURE
}

/// What was executed.
#[derive(Default)]
struct Walk {
    steps: u64,
    seen: HashSet<u64>,
    order: Vec<u64>,
}

fn walked(args: &[OsString]) -> io::Result<(Walk, i32)> {
    let children = bench::children::Children::adopt()?;
    let program =
        args.first().ok_or_else(|| io::Error::other("usage: bench-steps [--code N] [--addresses] COMMAND [ARG]..."))?;
    let mut command = Command::new(program);
    command.args(&args[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A number of start-up instructions depends on the environment's size, so there is next to none.
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")]);
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("XDG_")));
    let child = sys::traced(&mut command).spawn()?;
    let result = walk(i32::try_from(child.id()).unwrap_or(-1));
    children.end()?;
    result
}

fn walk(pid: i32) -> io::Result<(Walk, i32)> {
    let mut walk = Walk::default();
    let mut at = 0;
    let mut stop = sys::wait_stop(pid)?;
    loop {
        let signal = match stop {
            Stop::Gone(code) => return Ok((walk, code)),
            Stop::Signal(libc::SIGTRAP) => 0,
            Stop::Signal(other) => other,
        };
        // A repeated string instruction stops after each turn, at the same address: it counts as one.
        let now = sys::instruction_pointer(pid)?;
        if now != at {
            walk.steps += 1;
            if walk.seen.insert(now) {
                walk.order.push(now);
            }
        }
        at = now;
        sys::step(pid, signal)?;
        stop = sys::wait_stop(pid)?;
    }
}
