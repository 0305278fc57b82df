//! Servers that do what no server should, started by `onready`.

use crate::nest::{Nest, Programs, Seen};
use crate::page::Section;
use crate::pool;
use crate::verdict::Verdict;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;
use testbed::Run;

const LIMIT: Duration = Duration::from_secs(40);

/// One of them.
struct Case {
    name: &'static str,
    options: &'static [&'static str],
    words: Vec<String>,
    /// The exit codes that are true.
    codes: &'static [i32],
    /// How many bytes of stdout must have come at least.
    output: usize,
    /// The caller does not read.
    unread: bool,
}

fn case(name: &'static str, words: &str, codes: &'static [i32]) -> Case {
    let words = words.split_whitespace().map(str::to_owned).collect();
    Case { name, options: &[], words, codes, output: 0, unread: false }
}

fn long_list() -> Vec<Case> {
    let mut thousand = case("a thousand STATUS messages without a pause", "notify --lenient", &[0]);
    thousand.words.extend((0..1000).map(|n| format!("STATUS=step {n}")));
    thousand.words.push("READY=1".into());
    let mut sizes = case("messages of every size up to 128 KiB", "notify --lenient", &[0]);
    sizes.words.extend(
        (0..=16).flat_map(|power: u32| [(1 << power) - 1, 1 << power, (1 << power) + 1]).chain([131_000]).map(message),
    );
    sizes.words.push("READY=1".into());
    let mut garbage = case("garbage and truncated fields, and no READY=1", "notify --lenient", &[124]);
    garbage.options = &["--until", "notify"];
    let texts = [
        "READY",
        "READY=",
        "=1",
        "READY=0",
        "READY=11",
        "READY=1x",
        " READY=1",
        "XREADY=1",
        "MAINPID=",
        "MAINPID=1",
        "MAINPID=-1",
        "MAINPID=99999999999999999999",
        "EXTEND_TIMEOUT_USEC=-1",
        "EXTEND_TIMEOUT_USEC=",
        "ERRNO=x",
        "STATUS=\u{1b}[2J\u{7}\u{9b}",
        "BARRIER=1\\nREADY=",
        "FDSTORE=1",
        "\\n\\n\\n",
        "RELOADING=1",
        "ready=1",
    ];
    garbage.words.extend(texts.map(str::to_owned));
    vec![thousand, sizes, garbage]
}

fn message(size: usize) -> String {
    format!("X_{}", "=".repeat(size.saturating_sub(2)))
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("output without end", "flood --endless --background -- notify READY=1", &[0]),
        Case {
            output: 30_000_000,
            ..case("30 MB in one line", "flood --stdout 30000000 --one-line -- notify READY=1", &[0])
        },
        Case { output: 3_000_000, ..case("binary output", "flood --stdout 3000000 --binary -- notify READY=1", &[0]) },
        Case { output: 100_000_000, ..case("100 MB before ready", "flood --stdout 100000000 -- notify READY=1", &[0]) },
        Case {
            unread: true,
            ..case(
                "100 MB before ready, and the caller does not read",
                "flood --stdout 100000000 -- notify READY=1",
                &[0],
            )
        },
        case("200 children that hold everything open", "crowd --count 200 --seconds 30 -- notify READY=1", &[0]),
        case("200 children, and it fails", "crowd --count 200 --seconds 30 -- exit 3", &[3]),
        case(
            "200 children in sessions of their own, and it fails",
            "crowd --count 200 --seconds 30 --own-session -- exit 3",
            &[3],
        ),
        case("READY from a child", "notify --from-child --child-stays READY=1 -- stay", &[0, 124]),
        case("READY from a child that is dead by then", "notify --from-child READY=1 -- stay", &[0, 124]),
        case("closes all descriptors", "close-all --from 0 -- notify READY=1", &[0]),
        case("closes all descriptors and fails", "close-all --from 0 -- exit 4", &[4]),
        case("a session of its own", "session --setsid -- notify READY=1", &[0]),
        case("renames itself", "rename kworker/0:1 -- notify READY=1", &[0]),
        case("becomes another program", "setup -- sh -c :", &[125]),
        case("double fork and a refusal", "daemonize --code 6", &[6]),
        case("stops itself", "stop-self -- notify READY=1", &[124]),
        case("stops itself while it listens", "listen --port 0 --background -- stop-self", &[0, 124]),
        case("ignores SIGTERM and is never ready", "ignore TERM,INT,HUP -- notify STATUS=never", &[124]),
        case(
            "its child ignores SIGTERM in another session",
            "crowd --count 3 --own-session -- ignore TERM -- notify STATUS=never",
            &[124],
        ),
        case("exits 0 without a word", "exit 0", &[125]),
        case("dies of SIGSEGV", "die SEGV", &[139]),
        case("closes its streams and stays silent", "close-all --from 0 -- stay", &[124]),
    ];
    cases.extend(long_list());
    for _ in 0..25 {
        cases.push(case("READY and exit 5 in the same instant", "notify READY=1 -- exit 5", &[0, 5]));
        cases.push(case("READY and SIGKILL in the same instant", "notify READY=1 -- die KILL", &[0, 137]));
    }
    cases
}

/// Runs the campaign.
pub fn run(programs: &Programs) -> Section {
    let cases = cases();
    let tally = pool::all(&cases, 3, |case| (case.name.to_owned(), attack(programs, case)));
    let mut names: Vec<String> = cases.iter().map(|case| format!("- {} (exit {})", case.name, codes(case))).collect();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    let mut lines = vec![
        format!("Tried {}, truthful {}: {}.", tally.tried, tally.truthful, tally.ends()),
        String::new(),
        "The servers, and what is true of them:".to_owned(),
        String::new(),
    ];
    lines.append(&mut names);
    Section { name: "servers", lines, lies: tally.lies }
}

fn codes(case: &Case) -> String {
    case.codes.iter().map(i32::to_string).collect::<Vec<_>>().join(" or ")
}

fn attack(programs: &Programs, case: &Case) -> Verdict {
    let nest = Nest::new(programs);
    let speaks = case.words.iter().any(|word| word == "notify");
    let mut command = nest.sandbox.command(programs.onready());
    let limit = if case.codes.contains(&124) { "2s" } else { "30s" };
    command.args(["-n", "web", "-t", limit]).args(case.options).arg("--");
    command.arg(programs.fixture(speaks)).args(&case.words);
    let (seen, output) = if case.unread { unread(command) } else { read(command) };
    let verdict = judge(&nest, case, &seen, output);
    nest.clear();
    verdict
}

fn judge(nest: &Nest, case: &Case, seen: &Seen, output: usize) -> Verdict {
    if seen.hung {
        return Verdict::Lie("the launcher hangs".into());
    }
    let Some(code) = seen.code.filter(|code| case.codes.contains(code)) else {
        return Verdict::Lie(format!("exit {:?}/{:?}: {:?}", seen.code, seen.signal, seen.stderr));
    };
    if output < case.output {
        return Verdict::Lie(format!("{output} bytes of its output came: {:?}", seen.stderr));
    }
    // Two exit codes are true where the server dies at once: then it may be gone by now.
    if code == 0 && case.codes == [0] && nest.sandbox.processes().is_empty() {
        return Verdict::Lie(format!("exit 0 and no process: {:?}", seen.stderr));
    }
    if code == 0 {
        return Verdict::True("ready");
    }
    let left = nest.left_processes();
    let files = nest.left_files(seen.pid);
    match (left.is_empty() && files.is_empty(), seen.stderr.trim().is_empty()) {
        (false, _) => Verdict::Lie(format!("exit {code} and left {left:?} {files:?}")),
        (_, true) => Verdict::Lie(format!("exit {code} without a word")),
        _ => Verdict::True("failed with a word"),
    }
}

fn read(command: Command) -> (Seen, usize) {
    let running = Run::new(command).limit(LIMIT + LIMIT).start();
    let pid = running.pid();
    if !running.wait_exit(LIMIT) {
        return (Seen { hung: true, pid, ..Seen::default() }, 0);
    }
    let run = running.done();
    let stderr = String::from_utf8_lossy(&run.stderr).into_owned();
    (Seen { code: run.code, signal: run.signal, stderr, hung: false, pid }, run.stdout.len())
}

/// Its stdout is a full pipe for as long as it runs.
fn unread(mut command: Command) -> (Seen, usize) {
    use std::os::unix::process::ExitStatusExt;
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else { return (Seen { hung: true, ..Seen::default() }, 0) };
    let pid = child.id() as i32;
    if !testbed::wait_gone(pid, LIMIT) {
        testbed::kill(pid);
        let _ = child.wait();
        return (Seen { hung: true, pid, ..Seen::default() }, 0);
    }
    let mut stderr = String::new();
    child.stderr.take().map(|mut pipe| pipe.read_to_string(&mut stderr));
    let status = child.wait().ok();
    let (code, signal) = (status.and_then(|status| status.code()), status.and_then(|status| status.signal()));
    (Seen { code, signal, stderr, hung: false, pid }, 0)
}
