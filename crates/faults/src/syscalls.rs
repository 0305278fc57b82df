//! Every system call of a start failed once, and the process killed at every one.

use crate::calls::{self, error_name, name};
use crate::nest::{FACES, Face, Nest, Programs, Seen};
use crate::page::Section;
use crate::pool::{self, Tally};
use crate::tracer::{Fault, SERVER, Target, Traced, sent, trace};
use crate::verdict::{Ours, Verdict, judge};
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::time::Duration;

/// How long a start may take with a fault in it: longer than its own time limit and the stop after it.
const LIMIT: Duration = Duration::from_secs(25);
/// The processes of a start in the order of their making.
const ROLES: [&str; 3] = ["launcher", "session maker", "server"];

/// What a normal start does.
struct Normal {
    /// How many calls of each process are attacked.
    counts: Vec<usize>,
    /// How many of the first calls come before `main`.
    before_main: [usize; 3],
    /// How many messages the server sends, up to and including the one that says that it is ready.
    sent: usize,
}

/// Runs the campaign.
///
/// # Errors
/// A normal start cannot be traced.
pub fn run(programs: &Programs, long: bool) -> io::Result<Section> {
    if !crate::sys::CAN_INJECT {
        return Ok(Section::skipped("syscalls", "calls are made to fail on x86_64 only"));
    }
    let mut lines = vec![
        "| face | process | calls | tried | truthful | left over or lied | not reached |".to_owned(),
        "|---|---|---|---|---|---|---|".to_owned(),
    ];
    let (mut lies, mut ends) = (Vec::new(), Vec::new());
    for face in FACES {
        let normal = normal(programs, face)?;
        let mut add = |role: &str, count: usize, jobs: &[Target]| {
            let tally = pool::all(jobs, 6, |target| attack(programs, face, &normal, *target));
            lines.push(line(face, role, count, &tally));
            ends.push(format!("{} {role}: {}.", face.name(), tally.ends()));
            lies.extend(tally.lies);
        };
        for (process, &count) in normal.counts.iter().enumerate() {
            add(ROLES[process], count, &jobs(process, count, long));
        }
        let (count, fault) = (normal.counts[0], Fault::KillServer);
        let bereavements: Vec<Target> = (0..count).map(|call| Target { process: 0, call, fault }).collect();
        add("launcher, its server dead by then", count, &bereavements);
    }
    lines.push(String::new());
    lines.append(&mut ends);
    Ok(Section { name: "syscalls", lines, lies })
}

fn line(face: Face, role: &str, calls: usize, tally: &Tally) -> String {
    format!(
        "| {} | {role} | {calls} | {} | {} | {} | {} |",
        face.name(),
        tally.tried,
        tally.truthful,
        tally.lies.len(),
        tally.not_reached
    )
}

/// The shortest of some: on a busy machine a launcher looks more often, and at the same things.
fn normal(programs: &Programs, face: Face) -> io::Result<Normal> {
    let all: io::Result<Vec<Normal>> = (0..5).map(|_| one_normal(programs, face)).collect();
    all?.into_iter().min_by_key(|normal| normal.counts[0]).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn one_normal(programs: &Programs, face: Face) -> io::Result<Normal> {
    let nest = Nest::new(programs);
    let traced = trace(command(&nest, face), None)?;
    let seen = wait(traced.status, traced.child);
    let answers = nest.ask().is_ok();
    nest.clear();
    if seen.code != Some(0) || !answers {
        return Err(io::Error::other(format!("a normal start of the {} fails: {}", face.name(), seen.stderr)));
    }
    let calls = traced.calls;
    let last_word = calls.get(SERVER).and_then(|made| made.iter().rposition(|number| calls::sends(*number)));
    let mut counts: Vec<usize> = calls.iter().take(3).map(Vec::len).collect();
    counts.iter_mut().skip(SERVER).for_each(|count| *count = last_word.map_or(*count, |last| last + 1));
    let before_main = [0, 1, 2].map(|process| calls.get(process).map_or(0, |made| before_main(made)));
    Ok(Normal { sent: sent(&calls[SERVER][..counts[SERVER]]), counts, before_main })
}

/// The runtime's last act before `main` is to make a stack for signals and to catch two. A program with a `main` of its
/// own has none, and begins by asking whether its streams are open.
fn before_main(made: &[i64]) -> usize {
    let stacks = made.iter().enumerate().filter(|(_, number)| **number == libc::SYS_sigaltstack);
    let streams = || made.iter().position(|number| *number == libc::SYS_fcntl);
    stacks.map(|(at, _)| at + 5).nth(1).or_else(streams).unwrap_or(0)
}

fn jobs(process: usize, count: usize, long: bool) -> Vec<Target> {
    let mut jobs = Vec::new();
    for call in 0..count {
        match long {
            true => jobs.extend((0..5).map(|error| Target { process, call, fault: Fault::Error(error) })),
            false => jobs.push(Target { process, call, fault: Fault::Any }),
        }
        jobs.push(Target { process, call, fault: Fault::Kill });
    }
    jobs
}

fn command(nest: &Nest, face: Face) -> std::process::Command {
    let mut command = nest.start(face);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Waits for the launcher, and takes what it wrote.
fn wait(status: Option<i32>, mut child: std::process::Child) -> Seen {
    let pid = child.id() as i32;
    let mut seen = Seen { pid, ..Seen::default() };
    if let Some(status) = status {
        let status = std::process::ExitStatus::from_raw(status);
        (seen.code, seen.signal) = (status.code(), status.signal());
    } else if !testbed::wait_gone(pid, LIMIT) {
        seen.hung = true;
    } else if let Ok(status) = child.wait() {
        (seen.code, seen.signal) = (status.code(), status.signal());
    }
    seen.stderr = child.stderr.take().map(rest).unwrap_or_default();
    seen.stdout = child.stdout.take().map(rest).unwrap_or_default();
    seen
}

/// What there is to read: somebody may hold the other end still.
fn rest(mut pipe: impl Read + std::os::fd::AsFd) -> String {
    let _ = rustix::io::ioctl_fionbio(&pipe, true);
    let mut text = Vec::new();
    let _ = pipe.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether a launcher would see by this call that its server is dead.
fn looks(call: i64) -> bool {
    [libc::SYS_waitid, libc::SYS_ppoll].contains(&call)
}

fn attack(programs: &Programs, face: Face, normal: &Normal, target: Target) -> (String, Verdict) {
    let nest = Nest::new(programs);
    let verdict = match trace(command(&nest, face), Some(target)) {
        Ok(traced) => conclude(&nest, face, normal, target, traced),
        Err(error) => ("tracing".into(), Verdict::Lie(error.to_string())),
    };
    nest.clear();
    verdict
}

fn conclude(nest: &Nest, face: Face, normal: &Normal, target: Target, traced: Traced) -> (String, Verdict) {
    nest.wake_all();
    let Traced { child, status, calls, hit } = traced;
    let seen = wait(status, child);
    let Some(hit) = hit else { return (String::new(), Verdict::NotReached) };
    let fault = match target.fault {
        Fault::KillServer => "its server dead before",
        _ => hit.error.map_or("killed at", |error| error_name(error)),
    };
    let what = format!("{} {} #{} {fault} {}", face.name(), ROLES[target.process], target.call, name(hit.number));
    // What happens to a server that has said that it is ready is no longer its launcher's business.
    if target.process == SERVER && hit.sent >= normal.sent {
        return (what, Verdict::NotReached);
    }
    let killed = target.fault == Fault::Kill;
    let later = &calls[target.process][target.call..];
    if target.fault == Fault::KillServer && seen.code == Some(0) && !later.iter().any(|call| looks(*call)) {
        return (what, Verdict::True("server killed after the last look"));
    }
    let ours = Ours {
        killed_launcher: killed && target.process == 0,
        killed_server: (killed && target.process == SERVER) || target.fault == Fault::KillServer,
        hit_server: target.process == SERVER,
        before_main: target.call < normal.before_main[target.process],
    };
    (what, judge(nest, face, &seen, ours))
}
