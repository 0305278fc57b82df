//! Servers that do what no server should, under both faces.

mod library;
mod program;

use crate::nest::{FACES, Face, Nest, Programs, Seen};
use crate::page::Section;
use crate::pool::{self, Tally};
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

impl Case {
    fn gives(self, output: usize) -> Case {
        Case { output, ..self }
    }

    fn unread(self) -> Case {
        Case { unread: true, ..self }
    }

    fn line(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(i32::to_string).collect();
        format!("- {} (exit {})", self.name, codes.join(" or "))
    }

    /// How long it may take to be ready: long, unless it never will be.
    fn limit_ms(&self) -> &'static str {
        if self.codes.contains(&124) { "2000" } else { "30000" }
    }

    fn command(&self, nest: &Nest, programs: &Programs, face: Face) -> Command {
        let fixture = |speaks| programs.fixture(speaks).display().to_string();
        let speaks = self.words.iter().any(|word| word == "notify");
        let words = self.words.iter().map(|word| if word == "FIXTURE" { fixture(true) } else { word.clone() });
        match face {
            Face::Library => {
                let mut command = nest.sandbox.command(programs.hostile());
                command.args(["enter", "--timeout-ms", self.limit_ms(), "--"]).args(words);
                command
            }
            Face::Program => {
                let mut command = nest.sandbox.command(programs.onready());
                command.args(["-n", "web", "-t", &format!("{}ms", self.limit_ms())]).args(self.options);
                command.arg("--").arg(fixture(speaks)).args(words);
                command
            }
        }
    }
}

/// Runs the campaign.
pub fn run(programs: &Programs) -> Section {
    let (mut lines, mut lies) = (Vec::new(), Vec::new());
    for face in FACES {
        let cases = match face {
            Face::Library => library::cases(),
            Face::Program => program::cases(),
        };
        let name = |case: &Case| format!("{} {}", face.name(), case.name);
        let tally = pool::all(&cases, 3, |case| (name(case), attack(programs, face, case)));
        lines.extend(summary(face, &cases, &tally));
        lies.extend(tally.lies);
    }
    Section { name: "servers", lines, lies }
}

fn summary(face: Face, cases: &[Case], tally: &Tally) -> Vec<String> {
    let count = format!("Tried {}, truthful {}: {}.", tally.tried, tally.truthful, tally.ends());
    let mut lines = vec![format!("### The {}", face.name()), String::new(), count, String::new()];
    let mut names: Vec<String> = cases.iter().map(Case::line).collect();
    names.sort_unstable();
    names.dedup();
    lines.append(&mut names);
    lines.push(String::new());
    lines
}

fn attack(programs: &Programs, face: Face, case: &Case) -> Verdict {
    let nest = Nest::new(programs);
    let command = case.command(&nest, programs, face);
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
    (Seen::of(&run, pid), run.stdout.len())
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
    (Seen { code, signal, stderr, pid, ..Seen::default() }, 0)
}
