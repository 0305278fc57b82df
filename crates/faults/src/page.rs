//! docs/FAULTS.md, which this program writes itself: one section a campaign, each replaced by its next run.

use std::io;
use std::path::Path;

/// What one campaign has to tell.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its name, which is its subcommand's.
    pub name: &'static str,
    /// Markdown.
    pub lines: Vec<String>,
    /// Every untruth.
    pub lies: Vec<String>,
}

impl Section {
    /// A campaign that this machine cannot run.
    #[must_use]
    pub fn skipped(name: &'static str, why: &str) -> Section {
        Section { name, lines: vec![format!("Skipped: {why}.")], lies: Vec::new() }
    }
}

/// The order on the page, and what each campaign does.
const ABOUT: [(&str, &str, &str); 6] = [
    (
        "syscalls",
        "Every system call fails once",
        "The calls of a normal start are listed (ptrace); then, for each, the start runs again with that one call failing, \
         and once more with the process killed there. The server half is attacked up to the message that says ready. \
         \"Its server dead by then\": at each call of the launcher the server is killed, and dead before the call is made.",
    ),
    (
        "kills",
        "Signals at random instants",
        "SIGKILL, SIGTERM, or SIGSTOP and SIGCONT, to the launcher, the server or both, at a random instant of a start.",
    ),
    (
        "servers",
        "Hostile servers",
        "Programs that do what no server should, some with the library in them, some started by `onready`.",
    ),
    ("surroundings", "Hostile surroundings", "Starts where something is missing, full, forbidden or planted."),
    ("fuzz", "Fuzzing", "Random and mutated bytes for everything that reads bytes from elsewhere."),
    ("soak", "Soak", "Starts and stops in a row; the machine before and after."),
];

const HEAD: &str = "# Faults\n\n\
    The promise is: exit code 0 only if the server is ready and alive; otherwise not 0, the reason on stderr, and no \
    process of the server left behind. This page is written by the program that attacks it (`crates/faults`); do not \
    edit it by hand.\n\n\
    After each attack the truth is looked up from outside: a client connects, the processes of the start are looked for \
    by a tag in their environment, files are counted, and the next ordinary start at the same place must succeed. A \
    start that is ready must have carried the server's output and named it in the pid file, or have said why not.\n\n\
    What counts as truthful, besides \"ready\" and \"failed with a word\":\n\n\
    - *launcher killed*: by us; no process is left. *After the release*: between letting go and its own exit, a moment that \
    nothing can close; the server is whole then, and answers.\n\
    - *aborted with a word*: memory was refused, which ends a Rust program; no process is left, the next start removes \
    the rest. *Ended before main*: in the loader or in Rust's own start-up, where nobody can say a word.\n\
    - *server killed after the last look*: exit code 0, and the launcher made no call any more by which it could have seen \
    it. *Hit in the moment of the answer*: the same at random, within 250 ms on a busy machine, where a process that was \
    sent SIGKILL lives until it gets a processor.\n\n\
    ```text\n\
    cargo build --release -p onready-cli -p testbed -p faults -p pong\n\
    target/release/faults all --short                          # the form for CI\n\
    target/release/faults all --long --seed N --rounds 5000    # the whole\n\
    ```\n";

/// Puts these sections in the place of the earlier ones.
///
/// # Errors
/// The page cannot be read or written.
pub fn write(path: &Path, run: &str, sections: &[Section]) -> io::Result<()> {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    let mut page = HEAD.to_owned();
    for (name, title, about) in ABOUT {
        let mark = format!("<!-- {name} -->\n");
        let body = match sections.iter().find(|section| section.name == name) {
            Some(section) => body(section, run),
            None => kept(&before, &mark),
        };
        page += &format!("\n## {title}\n\n{about}\n\n{mark}{body}");
    }
    std::fs::write(path, page)
}

fn body(section: &Section, run: &str) -> String {
    let mut body = format!("{run}\n\n");
    for line in &section.lines {
        body += &format!("{line}\n");
    }
    if section.lies.is_empty() {
        return body;
    }
    body += "\nUntruths:\n\n";
    for lie in &section.lies {
        body += &format!("- {}\n", lie.replace('\n', " / "));
    }
    body
}

fn kept(before: &str, mark: &str) -> String {
    let body = before.split_once(mark).map_or("", |(_, rest)| rest.split("\n## ").next().unwrap_or(""));
    if body.trim().is_empty() { "Not run yet.\n".into() } else { format!("{}\n", body.trim_end()) }
}
