//! `bench-steps [--code N] [--addresses] COMMAND [ARG]...`: run COMMAND, which has to end with code N (0), one
//! instruction at a time and print how many it took; or the address of each that it came to, in the order of the first
//! time, in hexadecimal.
//!
//! Only the process itself is counted, in user space, dynamic linking included and its children not. callgrind can't
//! do this: a launcher that starts its server by clone(CLONE_VM | CLONE_VFORK) and clone(CLONE_PARENT) gets an
//! ordinary fork from valgrind 3.19 (seen: memory not shared, the second child not found by waitpid).

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
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
    let (mut steps, mut seen, mut order) = (0_u64, HashSet::new(), Vec::new());
    let mut visit = |address| {
        steps += 1;
        if lists && seen.insert(address) {
            order.push(address);
        }
    };
    match walked(&args, &mut visit) {
        Ok(code) if code == wanted && lists => order.iter().for_each(|address| println!("{address:x}")),
        Ok(code) if code == wanted => println!("{steps}"),
        Ok(code) => return fail(&io::Error::other(format!("the command ended with code {code}"))),
        Err(error) => return fail(&error),
    }
    ExitCode::SUCCESS
}

fn fail(error: &io::Error) -> ExitCode {
    eprintln!("bench-steps: {error}");
    ExitCode::FAILURE
}

/// Runs it, tells the address of each instruction, and returns the exit code.
fn walked(args: &[OsString], visit: &mut dyn FnMut(u64)) -> io::Result<i32> {
    let children = bench::children::Children::adopt()?;
    let program =
        args.first().ok_or_else(|| io::Error::other("usage: bench-steps [--code N] [--addresses] COMMAND [ARG]..."))?;
    let mut command = Command::new(program);
    command.args(&args[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // A number of start-up instructions depends on the environment's size, so there is next to none.
    command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C")]);
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("XDG_")));
    let child = sys::traced(&mut command).spawn()?;
    let result = walk(i32::try_from(child.id()).unwrap_or(-1), visit);
    children.end()?;
    result
}

fn walk(pid: i32, visit: &mut dyn FnMut(u64)) -> io::Result<i32> {
    let mut at = 0;
    let mut stop = sys::wait_stop(pid)?;
    loop {
        let signal = match stop {
            Stop::Gone(code) => return Ok(code),
            Stop::Signal(libc::SIGTRAP) => 0,
            Stop::Signal(other) => other,
        };
        // A repeated string instruction stops after each turn, at the same address: it counts as one.
        let now = sys::instruction_pointer(pid)?;
        if now != at {
            visit(now);
        }
        at = now;
        sys::step(pid, signal)?;
        stop = sys::wait_stop(pid)?;
    }
}
