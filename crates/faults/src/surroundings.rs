//! Starts where something is missing, full, forbidden or planted; as root, each in namespaces of its own.

use crate::nest::{FACES, Face, Nest, Programs};
use crate::page::Section;
use crate::pool;
use crate::verdict::{Ours, Verdict, judge_once};
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
/// How many start at once.
const CROWD: usize = 100;

/// How the surrounding is made: words before the command line, in which `{run}` and the like are folders of the nest.
struct Case {
    name: String,
    wrapper: Vec<String>,
    plant: Option<Plant>,
    /// Run as this user.
    other_user: bool,
}

/// What lies at a path before the start.
#[derive(Clone, Debug)]
struct Plant {
    path: &'static str,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Link,
    Fifo,
    Socket,
    Folder,
    Garbage,
}

fn wrapped(name: impl Into<String>, words: &[&str]) -> Case {
    let wrapper = words.iter().map(|word| (*word).to_owned()).collect();
    Case { name: name.into(), wrapper, plant: None, other_user: false }
}

/// In a mount namespace, after this script.
fn mounted(name: &str, script: &str) -> Case {
    wrapped(name, &["unshare", "--mount", "sh", "-c", &format!("{script} && exec \"$@\""), "sh"])
}

fn cases(own: &str) -> Vec<Case> {
    let mut cases = vec![
        mounted(
            "full disk",
            "mount -t tmpfs -o size=16k,mode=700 none {run} && mount -t tmpfs -o size=16k none {state} && { cat /dev/zero > {run}/full || cat /dev/zero > {state}/full || true; } 2>/dev/null",
        ),
        mounted(
            "read-only state and logs",
            "mount -t tmpfs -o ro,mode=700 none {run} && mount -t tmpfs -o ro none {state}",
        ),
        mounted("no /proc", "umount -l /proc"),
        mounted("an empty /dev", "mount -t tmpfs none /dev"),
        mounted("no /tmp and no /run to write to", "mount -t tmpfs -o ro none {tmp} && mount -t tmpfs -o ro none /run"),
        wrapped("in a pid namespace, as PID 1", &["unshare", "--pid", "--fork", "--mount-proc"]),
        wrapped("in a network namespace without loopback", &["unshare", "--net"]),
        wrapped(
            "a clock of its own that is behind",
            &["unshare", "--time", "--fork", "--boottime", "1000000", "--monotonic", "1000000"],
        ),
    ];
    let refused = [
        "pidfd_open",
        "pidfd_send_signal",
        "pidfd_open,pidfd_send_signal",
        "close_range",
        "clone3",
        "splice",
        "memfd_create",
        "prctl",
        "socketpair",
        "flock",
        "waitid",
        "ppoll",
        "sendto",
        "fcntl",
        "getdents64",
        "recvmsg",
        "statx",
        "mkdir,mkdirat",
    ];
    for calls in refused {
        for error in ["ENOSYS", "EPERM"] {
            cases.push(wrapped(format!("{calls} refused with {error}"), &[own, "__refuse", calls, error]));
        }
    }
    let limit =
        |name: &str, value: String| wrapped(format!("{name}={value}"), &["prlimit", &format!("--{name}={value}")]);
    cases.extend((3..28).map(|number| limit("nofile", number.to_string())));
    cases.extend([4, 6, 8, 12, 16, 24, 40].map(|mega| limit("as", (mega << 20).to_string())));
    cases.extend([1, 2, 3, 4].map(|number| Case { other_user: true, ..limit("nproc", number.to_string()) }));
    cases.extend([0, 1, 100, 4096].map(|bytes| limit("fsize", bytes.to_string())));
    let paths = [
        "run/pid",
        "work/log",
        "run/onready",
        "run/onready/web.lock",
        "run/onready/web.state",
        "run/onready/web.new",
        "state/onready",
        "state/onready/web",
    ];
    for path in paths {
        for what in [What::Link, What::Fifo, What::Socket, What::Folder, What::Garbage] {
            let plant = Some(Plant { path, what });
            cases.push(Case { plant, ..wrapped(format!("{what:?} planted at {path}").to_lowercase(), &[]) });
        }
    }
    cases
}

/// Runs the campaign.
pub fn run(programs: &Programs) -> Section {
    if !rustix::process::geteuid().is_root() {
        return Section::skipped("surroundings", "namespaces and other users need root");
    }
    let own = std::env::current_exe().unwrap_or_default().display().to_string();
    let cases = cases(&own);
    let jobs: Vec<(Face, &Case)> = FACES.iter().flat_map(|face| cases.iter().map(|case| (*face, case))).collect();
    let mut tally =
        pool::all(&jobs, 4, |(face, case)| (format!("{} {}", face.name(), case.name), attack(programs, *face, case)));
    for face in FACES {
        let all: Vec<usize> = (0..CROWD).collect();
        let crowd =
            pool::all(&all, CROWD, |_| (format!("{} among {CROWD} at once", face.name()), alone(programs, face)));
        tally.add_all(crowd);
    }
    tally.add("another user says READY=1", stranger(programs));
    let back = pool::all(&FACES, 1, |face| (format!("{} {SET_BACK}", face.name()), set_back(programs, *face)));
    tally.add_all(back);
    let mut lines = vec![
        format!("Tried {}, truthful {}: {}.", tally.tried, tally.truthful, tally.ends()),
        String::new(),
        format!(
            "Both faces in {} surroundings, {CROWD} starts at once, and another user at the notify socket:",
            cases.len()
        ),
        String::new(),
    ];
    lines.extend(cases.iter().map(|case| format!("- {}", case.name)));
    lines.push(format!("- {SET_BACK}"));
    Section { name: "surroundings", lines, lies: tally.lies }
}

fn attack(programs: &Programs, face: Face, case: &Case) -> Verdict {
    let nest = Nest::new(programs);
    let guarded = case.plant.as_ref().map(|plant| set(&nest, plant));
    let mut command = nest.start(face);
    if case.other_user {
        give_away(&nest);
        command = wrap(
            &nest,
            command,
            &["setpriv".into(), "--reuid=65534".into(), "--regid=65534".into(), "--clear-groups".into()],
        );
    }
    let mut seen = nest.run(wrap(&nest, command, &case.wrapper), LIMIT);
    if case.name.starts_with("in a pid namespace") {
        // The server ends with the namespace: only that it is told is asked here.
        seen.stderr += "(its init has gone)";
    }
    // What is refused to the launcher is refused to the server, too: it need not be able to answer.
    let listens = seen.code == Some(0) && std::os::unix::net::UnixStream::connect(nest.socket()).is_ok();
    let verdict = match case.name.starts_with("in a pid namespace") && seen.code == Some(0) || listens {
        true => Verdict::True("ready"),
        false => judge_once(
            &nest,
            &seen,
            Ours { before_main: case.name.starts_with("as="), ..Ours::default() },
            case.plant.is_some(),
        ),
    };
    let verdict = match guarded {
        Some(file) if std::fs::read(&file).ok().as_deref() != Some(b"precious\n") => {
            Verdict::Lie("wrote through a planted link".into())
        }
        _ => verdict,
    };
    nest.clear();
    verdict
}

fn alone(programs: &Programs, face: Face) -> Verdict {
    let nest = Nest::new(programs);
    let seen = nest.run(nest.start(face), LIMIT);
    let verdict = match seen.code {
        Some(0) => judge_once(&nest, &seen, Ours::default(), false),
        code => Verdict::Lie(format!("exit {code:?}: {}", seen.stderr)),
    };
    nest.clear();
    verdict
}

fn wrap(nest: &Nest, command: Command, words: &[String]) -> Command {
    let Some((first, rest)) = words.split_first() else { return command };
    let folder = |name: &str| nest.sandbox.dir().join(name).display().to_string();
    let filled = |word: &String| {
        ["run", "state", "tmp"]
            .iter()
            .fold(word.clone(), |word, name| word.replace(&format!("{{{name}}}"), &folder(name)))
    };
    let mut wrapped = nest.sandbox.command(first);
    wrapped.args(rest.iter().map(filled)).arg(command.get_program()).args(command.get_args());
    wrapped
}

/// Puts it there, and returns the file that must stay as it is.
fn set(nest: &Nest, plant: &Plant) -> PathBuf {
    let precious = nest.sandbox.path("precious");
    let _ = std::fs::write(&precious, "precious\n");
    let path = nest.sandbox.dir().join(plant.path);
    if let Some(above) = path.parent() {
        let _ = std::fs::create_dir_all(above);
        let _ = std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o700));
    }
    let _ = match plant.what {
        // Another user's: one's own is followed for a log.
        What::Link => std::os::unix::fs::symlink(&precious, &path)
            .and_then(|()| std::os::unix::fs::lchown(&path, Some(65534), Some(65534))),
        What::Fifo => {
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).map_err(Into::into)
        }
        What::Socket => std::os::unix::net::UnixListener::bind(&path).map(drop),
        What::Folder => std::fs::create_dir(&path),
        What::Garbage => std::fs::write(&path, b"\xff\x00{\"version\":1,\"pid\":1}\n1\n"),
    };
    precious
}

/// To the user that it will run as.
fn give_away(nest: &Nest) {
    nest.sandbox.open_to_others();
    for name in ["home", "run", "state", "tmp", "work"] {
        let _ = std::os::unix::fs::chown(nest.sandbox.dir().join(name), Some(65534), Some(65534));
    }
}

const SET_BACK: &str = "the clock set back by a day while it starts";

/// The start, and then what looks at its times.
fn set_back(programs: &Programs, face: Face) -> Verdict {
    use std::os::unix::process::ExitStatusExt;
    if !crate::sys::CAN_INJECT {
        return Verdict::NotReached;
    }
    let nest = Nest::new(programs);
    let mut command = nest.start(face);
    command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    let verdict = match crate::clock::run(command) {
        Err(error) => Verdict::Lie(format!("cannot be traced: {error}")),
        Ok(ran) => {
            let status = std::process::ExitStatus::from_raw(ran.status);
            let pid = ran.child.id() as i32;
            let stdout = ran.child.stdout.map(std::io::read_to_string).and_then(Result::ok).unwrap_or_default();
            let (code, signal) = (status.code(), status.signal());
            let seen = crate::nest::Seen { code, signal, stdout, pid, ..Default::default() };
            // Only the program looks at this clock at all: for its marks in the logs.
            match (face, ran.lies) {
                (Face::Program, 0) => Verdict::NotReached,
                _ => judge_once(&nest, &seen, Ours::default(), false),
            }
        }
    };
    let verdict = match verdict {
        Verdict::True(_) if face == Face::Program => status_and_logs(&nest, programs),
        verdict => verdict,
    };
    nest.clear();
    verdict
}

fn status_and_logs(nest: &Nest, programs: &Programs) -> Verdict {
    let run = |words: &[&str]| {
        let mut command = nest.sandbox.command(programs.onready());
        command.args(words);
        nest.run(command, LIMIT)
    };
    let (status, logs, stop) = (run(&["status", "web"]), run(&["logs", "web"]), run(&["stop", "web"]));
    match (status.code, logs.stdout.contains("listening on"), stop.code) {
        (Some(0), true, Some(0)) => Verdict::True("ready"),
        _ => Verdict::Lie(format!("status {status:?}, logs {logs:?}, stop {stop:?}")),
    }
}

/// Root's socket can be written to by everybody, for its server may have become anybody: who says it is what counts.
fn stranger(programs: &Programs) -> Verdict {
    let nest = Nest::new(programs);
    let mut command = nest.sandbox.command(programs.onready());
    command.args(["-n", "web", "-t", "1500ms", "--until", "notify", "--"]).arg(programs.fixture(false)).arg("stay");
    let running = testbed::Run::new(command).limit(LIMIT).start();
    let socket = PathBuf::from("/run/onready-notify").join(running.pid().to_string());
    testbed::wait_for_path(&socket, LIMIT);
    let words = ["--reuid=65534", "--regid=65534", "--clear-groups"].map(OsString::from);
    let mut sender = nest.sandbox.command("setpriv");
    sender.args(words).arg(programs.fixture(true)).args(["notify", "READY=1", "--lenient", "--to"]).arg(&socket);
    let sent = sender.args(["--", "exit", "0"]).status();
    let code = running.done().code;
    nest.clear();
    match (sent, code) {
        (Ok(_), Some(124)) => Verdict::True("failed with a word"),
        (sent, code) => Verdict::Lie(format!("exit {code:?} (the sender: {sent:?})")),
    }
}

/// The seconds of `faults __refuse CALL,... ERROR COMMAND...`.
///
/// # Errors
/// There is no such call, or it cannot be refused.
pub fn refuse(words: &[OsString]) -> std::io::Error {
    let text = |at: usize| words.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let numbers: Option<Vec<i64>> = text(0).split(',').map(crate::calls::number).collect();
    let error = if text(1) == "EPERM" { libc::EPERM } else { libc::ENOSYS };
    match numbers {
        Some(numbers) => crate::sys::refuse(&numbers, error, &words[2..]),
        None => std::io::Error::other(format!("no call is named {}", text(0))),
    }
}
