//! A caller of its own: a process with many descriptors or a large environment that starts a command when told to.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::children::Children;
use crate::shot::Line;

/// The other end of a caller process.
pub struct Caller {
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    id: i32,
}

impl Caller {
    /// Start a caller which holds `descriptors` open descriptors and `environment` KiB of environment beyond its own.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(descriptors: usize, environment_kib: usize, line: &[OsString]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("caller").arg(descriptors.to_string()).args(line);
        for number in 0..environment_kib {
            // With its name, "=" and the final zero each is 1 KiB.
            command.env(format!("BENCH_FILLER_{number:06}"), "x".repeat(1003));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("no pipe to the caller"));
        };
        let mut caller = Self { to, from: BufReader::new(from), id: i32::try_from(child.id()).unwrap_or(-1) };
        caller.answer()?;
        Ok(caller)
    }

    /// The caller's process id.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Let it start its command once; how long that took, in nanoseconds.
    ///
    /// # Errors
    /// What the caller met.
    pub fn shoot(&mut self) -> io::Result<f64> {
        self.to.write_all(b"\n")?;
        let answer = self.answer()?;
        answer.parse().map_err(|_| io::Error::other(answer))
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut text = String::new();
        if self.from.read_line(&mut text)? == 0 {
            return Err(io::Error::other("the caller ended"));
        }
        Ok(text.trim_end().to_owned())
    }
}

/// The caller's own half: `bench caller DESCRIPTORS COMMAND...`; ends with its stdin.
///
/// # Errors
/// When it cannot set itself up.
pub fn serve(args: &[OsString]) -> io::Result<()> {
    let usage = || io::Error::other("usage: bench caller DESCRIPTORS COMMAND...");
    let count = args.first().and_then(|text| text.to_str()).and_then(|text| text.parse().ok()).ok_or_else(usage)?;
    let program = args.get(1).ok_or_else(usage)?;
    let held = hold(count)?;
    let children = Children::adopt()?;
    let mut line = Line::new(program)?.args(&args[2..]);
    println!("held {}", held.len());
    for request in io::stdin().lines() {
        request?;
        match line.shoot() {
            Ok(shot) => println!("{}", shot.elapsed_ns),
            Err(error) => println!("{error}"),
        }
        children.end()?;
    }
    Ok(())
}

/// Descriptors that an exec passes on.
fn hold(count: usize) -> io::Result<Vec<OwnedFd>> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    let null = std::fs::File::open("/dev/null")?;
    (0..count).map(|_| Ok(rustix::io::dup(&null)?)).collect()
}
