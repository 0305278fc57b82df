//! Is it true? Judged from outside, by connecting and by looking for processes and files.

use crate::nest::{Face, Nest, Seen};

/// What an attack came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The exit code was true and nothing was left; how it ended, for the count.
    True(&'static str),
    /// The attack did not happen.
    NotReached,
    /// A lie, a silence or a leftover.
    Lie(String),
}

/// What we did ourselves and the launcher is not to be blamed for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ours {
    /// We killed the launcher.
    pub killed_launcher: bool,
    /// It happened before `main`, in the loader or in the runtime, where nobody can say a word.
    pub before_main: bool,
    /// We killed the server.
    pub killed_server: bool,
    /// Something was done to the server, whatever it was.
    pub hit_server: bool,
}

/// Judges a start that has ended, and clears what is left of it.
pub fn judge(nest: &Nest, face: Face, seen: &Seen, ours: Ours) -> Verdict {
    let verdict = look(nest, seen, ours);
    // What is ready is in order; after a failure it is the next start that tells.
    if verdict == Verdict::True("ready") {
        return verdict;
    }
    match (verdict, nest.starts_again(face)) {
        (Verdict::True(_), Err(why)) => Verdict::Lie(why),
        (verdict, _) => verdict,
    }
}

/// The same without the next start; `planted`: files were there before.
pub fn judge_once(nest: &Nest, seen: &Seen, ours: Ours, planted: bool) -> Verdict {
    if planted {
        nest.sandbox.allow("run/**").allow("state/**");
    }
    look(nest, seen, ours)
}

fn look(nest: &Nest, seen: &Seen, ours: Ours) -> Verdict {
    if seen.hung {
        return Verdict::Lie(format!("the launcher hangs: {:?}", seen.stderr));
    }
    if seen.code == Some(0) {
        if let Err(why) = nest.ask() {
            let there = nest.sandbox.processes();
            return Verdict::Lie(format!("exit code 0, and {why}; there are {there:?}; stderr {:?}", seen.stderr));
        }
        // A server that was made to fail may have failed to write.
        return match nest.kept_promise(seen).err().filter(|_| !ours.hit_server) {
            Some(why) => Verdict::Lie(why),
            None => Verdict::True("ready"),
        };
    }
    // Killed after it let the server go and before its own exit: a moment that nothing can close. The server must
    // be whole then.
    let released = ours.killed_launcher && seen.signal == Some(libc::SIGKILL) && nest.ask().is_ok();
    let left = nest.left_processes();
    if !left.is_empty() {
        return match released {
            true => Verdict::True("launcher killed after the release"),
            false => Verdict::Lie(format!("exit {:?}/{:?} and left: {}", seen.code, seen.signal, left.join(", "))),
        };
    }
    if ours.killed_launcher {
        return Verdict::True("launcher killed");
    }
    // Memory is exhausted, or the standard library itself gave up: as after a kill, the next start clears what is left.
    if seen.signal == Some(libc::SIGABRT) && !seen.stderr.trim().is_empty() {
        return Verdict::True("aborted with a word");
    }
    let files = nest.left_files(seen.pid);
    if !files.is_empty() {
        return Verdict::Lie(format!("exit {:?} and left: {}", seen.code, files.join(", ")));
    }
    if seen.stderr.trim().is_empty() {
        return match ours.before_main {
            true => Verdict::True("ended before main"),
            false => Verdict::Lie(format!("exit {:?}/{:?} without a word", seen.code, seen.signal)),
        };
    }
    match seen.signal {
        Some(_) if ours.before_main => Verdict::True("ended before main"),
        Some(signal) => Verdict::Lie(format!("the launcher died by signal {signal}: {:?}", seen.stderr)),
        None if ours.killed_server && seen.code != Some(137) => {
            Verdict::Lie(format!("exit {:?} for a server killed by SIGKILL: {:?}", seen.code, seen.stderr))
        }
        None => Verdict::True("failed with a word"),
    }
}
