//! With real processes. Nothing here waits by sleeping: a child says what it has come to, or is stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions, kill_process, waitid, waitpid};

use super::*;

/// A child that is killed and reaped at the end of the test.
struct Guard(Child);

impl Guard {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn shell(script: &str) -> Self {
        Self::start(Command::new("sh").args(["-c", script]))
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// The number in the next line that the child writes.
    fn number(&mut self) -> i32 {
        let mut line = String::new();
        BufReader::with_capacity(1, self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Stops it; once this returns, none of its threads runs.
    fn stop(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(Pid::from_child(&self.0)), WaitOptions::UNTRACED).unwrap();
    }

    /// Returns as soon as it waits for something to read, or for whatever else.
    fn until_asleep(&self) {
        while stat(self.pid()).unwrap().state != b'S' {
            std::thread::yield_now();
        }
    }

    /// Returns as soon as it is a zombie, and leaves it one.
    fn until_zombie(&self) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.0)), options).unwrap();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A grandchild in a session of its own; it ends with its standard input, which is the child's.
const DEEP: &str = "exec 3<&0; setsid sh -c 'echo $$; exec cat <&3' & wait";

fn me() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

#[test]
fn odd_names_do_not_move_the_fields() {
    let line = |name: &str| format!("7 ({name}) S 1 2 3 0 -1 4194304 5 6 7 8 10 20 0 0 20 0 9 0 1234 5 6\n");
    for name in ["sh", "a) R 9 (b", ") ) )", "(((", "x\ny", ""] {
        let stat = parse_stat(line(name).as_bytes()).unwrap();
        assert_eq!((stat.pid, stat.state, stat.ppid, stat.pgrp, stat.session), (7, b'S', 1, 2, 3), "{name:?}");
        assert_eq!((stat.cpu_ticks, stat.threads, stat.start_time), (30, 9, 1234), "{name:?}");
        assert_eq!(stat.name(), name);
    }
    assert_eq!(parse_stat(line("kworker/u257:9-events_unbound").as_bytes()).unwrap().name(), "kworker/u257:9-e");
    for broken in
        ["", "7", "7 (sh", "7 (sh)", "7 (sh) S", "x (sh) S 1 2 3", "7 )sh( S 1 2 3", "7 (sh) S 1 2 3 0 -1 0 0 0 0 0"]
    {
        assert_eq!(parse_stat(broken.as_bytes()), None, "{broken:?}");
    }
}

#[test]
fn a_process_with_an_odd_name_is_read() {
    let folder = std::env::temp_dir().join(format!("onready-tree-{}", me()));
    std::fs::create_dir_all(&folder).unwrap();
    let program = folder.join("a) R 1 (b");
    std::os::unix::fs::symlink("/bin/sh", &program).unwrap();
    let mut child = Guard::start(Command::new(&program).arg0("sh").args(["-c", "echo 1; read x", "", "two words"]));
    child.number();

    let seen = stat(child.pid()).unwrap();
    assert_eq!((seen.pid, seen.ppid, seen.threads), (child.pid(), me(), 1));
    assert!(seen.is_alive() && seen.start_time >= stat(me()).unwrap().start_time);
    assert_eq!((seen.name(), name(child.pid()).unwrap()), ("a) R 1 (b".to_owned(), "a) R 1 (b".to_owned()));
    assert_eq!(command_line(child.pid()).unwrap(), ["sh", "-c", "echo 1; read x", "", "two words"]);
    assert_eq!(executable(child.pid()).unwrap(), program.canonicalize().unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_removed_program_keeps_its_name() {
    assert_eq!(without_mark("/usr/bin/server (deleted)".into()), PathBuf::from("/usr/bin/server"));
    assert_eq!(without_mark("/usr/bin/server".into()), PathBuf::from("/usr/bin/server"));
}

#[test]
fn the_dead_are_told_from_the_living() {
    let child = Guard::shell("exit 0");
    child.until_zombie();
    let seen = stat(child.pid()).unwrap();
    assert_eq!((seen.state, seen.is_alive()), (b'Z', false));
    assert_eq!((command_line(child.pid()), executable(child.pid())), (None, None));
    let mut found = Vec::new();
    descendants(&[child.pid()], &mut found);
    assert_eq!(found, [child.pid()]);
    assert!(group_members(child.pid()).is_empty());

    let pid = child.pid();
    drop(child);
    assert_eq!((stat(pid), name(pid), command_line(pid), executable(pid)), (None, None, None, None));
    descendants(&[pid, 0, -1], &mut found);
    assert!(found.is_empty(), "{found:?}");
    children(pid, &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn an_empty_group_is_known_without_looking_at_everybody() {
    let reads = || -> u64 {
        let io = std::fs::read_to_string("/proc/thread-self/io").unwrap();
        io.lines().find_map(|line| line.strip_prefix("syscr: ")).unwrap().parse().unwrap()
    };
    let mut child = Guard::start(Command::new("cat").process_group(0));
    let (group, before) = (child.pid(), reads());
    assert_eq!(group_members(group), [group]);
    let all = reads() - before;
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    let before = reads();
    assert!(group_members(group).is_empty());
    let few = reads() - before;
    // Asking costs reads itself.
    let before = reads();
    let none = reads() - before;
    assert!(few == none && all > none, "{none} reads for nothing, {few} for an empty group, {all} for a process");
}

#[test]
fn a_grandchild_in_another_session_is_found() {
    let mut child = Guard::shell(DEEP);
    let grandchild = child.number();
    let mut found = Vec::new();
    descendants(&[child.pid(), child.pid()], &mut found);
    assert_eq!(found[0], child.pid());
    assert_eq!(found.last(), Some(&grandchild));
    assert!(found.len() <= 3, "setsid may fork once: {found:?}");

    let seen = stat(grandchild).unwrap();
    assert_eq!((seen.session, seen.pgrp), (grandchild, grandchild));
    assert_eq!(session_members(grandchild), [grandchild]);
    assert_eq!(group_members(grandchild), [grandchild]);
    assert!(session_members(stat(me()).unwrap().session).contains(&child.pid()));

    let mut slow = parents();
    slow.retain(|(pid, _)| found.contains(pid));
    slow.sort_unstable();
    let mut quick: Vec<_> = found.iter().map(|&pid| (pid, stat(pid).unwrap().ppid)).collect();
    quick.sort_unstable();
    assert_eq!(slow, quick);
    // The grandchild ends with its input; then `wait` returns, and the shell ends.
    drop(child.0.stdin.take());
    assert!(child.0.wait().unwrap().success());
    assert_eq!(stat(grandchild).filter(Stat::is_alive), None);
}

#[test]
fn children_of_every_thread_are_found() {
    let (ours, theirs) = (Guard::shell("read x"), std::thread::spawn(|| Guard::shell("read x")).join().unwrap());
    let mut found = Vec::new();
    children(me(), &mut found);
    assert!(found.contains(&ours.pid()) && found.contains(&theirs.pid()), "{found:?}");
    found.retain(|pid| [ours.pid(), theirs.pid()].contains(pid));
    assert_eq!(found.len(), 2);
}

/// Sends bytes through a `cat`, one by one: so many reads and writes.
fn work(cat: &mut Guard, times: usize) {
    let mut byte = [0];
    for _ in 0..times {
        cat.0.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        cat.0.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
    }
}

#[test]
fn the_gate_opens_when_a_process_has_run() {
    let mut cat = Guard::start(&mut Command::new("cat"));
    let mut activity = Activity::new();
    assert!(!activity.changed(&[]));
    assert!(activity.changed(&[cat.pid()]));
    work(&mut cat, 1);
    cat.stop();
    assert!(activity.changed(&[cat.pid()]));
    assert!(!activity.changed(&[cat.pid()]));
    assert!(!activity.changed(&[cat.pid()]));
    cat.signal(Signal::CONT);
    work(&mut cat, 1);
    cat.stop();
    assert!(activity.changed(&[cat.pid()]));
    assert!(!activity.changed(&[cat.pid()]));

    assert!(activity.changed(&[cat.pid(), me()]), "one more");
    assert!(activity.changed(&[cat.pid()]), "one less");
    cat.signal(Signal::KILL);
    cat.until_zombie();
    activity.changed(&[cat.pid()]);
    assert!(!activity.changed(&[cat.pid()]), "a zombie does nothing");
    let pid = cat.pid();
    drop(cat);
    assert!(activity.changed(&[pid]) && activity.changed(&[pid]), "nothing is known of who has gone");
}

#[test]
fn quiet_is_measured_from_the_last_work() {
    let mut cat = Guard::start(&mut Command::new("cat"));
    work(&mut cat, 1);
    cat.until_asleep();
    let (mut quiet, start) = (Quiet::new(), Instant::now());
    let at = |ms: u64| start + Duration::from_millis(ms);
    let told = |ms: u64| Some(Duration::from_millis(ms));
    assert_eq!(quiet.look(&[cat.pid()], at(0)), told(0));
    assert_eq!(quiet.look(&[cat.pid()], at(100)), told(100));
    assert_eq!(quiet.look(&[cat.pid()], at(250)), told(250));

    work(&mut cat, 100);
    cat.until_asleep();
    assert_eq!(quiet.look(&[cat.pid()], at(300)), told(0), "200 reads and writes");
    assert_eq!(quiet.look(&[cat.pid()], at(500)), told(200));
    quiet.disturb();
    assert_eq!(quiet.look(&[cat.pid()], at(600)), told(0));
    assert_eq!(quiet.look(&[cat.pid(), me()], at(700)), told(0), "another process has come");

    let pid = cat.pid();
    drop(cat);
    assert_eq!(quiet.look(&[pid], at(800)), None);
    assert_eq!(quiet.look(&[], at(900)), None);
}

#[test]
fn who_is_stopped_is_not_quiet() {
    let mut cat = Guard::start(&mut Command::new("cat"));
    work(&mut cat, 1);
    cat.stop();
    let (mut quiet, start) = (Quiet::new(), Instant::now());
    for ms in [0, 100, 500] {
        assert_eq!(quiet.look(&[cat.pid()], start + Duration::from_millis(ms)), Some(Duration::ZERO));
    }
}
