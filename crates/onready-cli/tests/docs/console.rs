//! Runs the `console` blocks of a page, in order, in one sandbox, and compares what they say.
//!
//! A line that begins with `$ ` is a command, one with `> ` goes on with it, all others are its output: `...` stands for
//! any lines, numbers and durations for any others. A command without output stated may print what it likes. Every
//! command succeeds, unless `$ echo $?` follows and says otherwise.

use crate::markdown::{Block, blocks};
use crate::{read, root};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use testbed::{Run, Sandbox, free_port};

/// The ports of the pages, for which free ones are taken.
const PORTS: [&str; 4] = ["8080", "8081", "8082", "5432"];
/// A cargo command may have to build first, beside others that do.
const LIMIT: Duration = Duration::from_secs(600);
const MARK: &str = "<<<onready-docs>>>";

/// Commands that are run elsewhere: by that file, in which they must stand.
const ELSEWHERE: [(&str, &str); 2] =
    [("cargo test", ".ci/run"), ("cargo install --path crates/onready-cli", "scripts/check-packages")];

/// One command of a block.
struct Step {
    command: String,
    output: Vec<String>,
}

/// Where a page is tried.
pub struct Bench {
    sandbox: Sandbox,
    ports: BTreeMap<&'static str, String>,
    path: Vec<PathBuf>,
}

impl Bench {
    pub fn new() -> Bench {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_onready"));
        let mut path = vec![program.parent().expect("a folder").to_owned()];
        path.extend(std::env::var_os("CARGO").and_then(|cargo| PathBuf::from(cargo).parent().map(PathBuf::from)));
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let ports = PORTS.map(|port| (port, free_port().to_string())).into();
        Bench { sandbox: Sandbox::new(), ports, path }
    }

    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Its ports instead of the page's.
    pub fn text(&self, text: &str) -> String {
        self.ports.iter().fold(text.into(), |text, (port, free)| text.replace(port, free))
    }

    /// A shell in the sandbox, with our programs.
    pub fn shell(&self, place: &Path, script: &str) -> Command {
        let mut command = self.sandbox.command("bash");
        let path = std::env::join_paths(&self.path).expect("a PATH");
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let or = |name: &str, folder: &str| std::env::var_os(name).unwrap_or_else(|| home.join(folder).into());
        command.current_dir(place).env("PATH", path);
        command.env("CARGO_HOME", or("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", or("RUSTUP_HOME", ".rustup"));
        command.env("CARGO_TERM_COLOR", "never");
        command.args(["-c", script]);
        command
    }

    /// Runs a block.
    pub fn run(&self, page: &str, block: &Block) {
        let at = format!("{page}:{}", block.line);
        let steps = steps(&self.text(&block.text), &at);
        let steps: Vec<&Step> = steps.iter().filter(|step| !is_run_elsewhere(step)).collect();
        // The clone, a package that was made for the page, or an empty folder.
        let (place, target) = match block.title.as_str() {
            "" => (self.sandbox.dir().join("work"), target_dir()),
            "repo" => (root(), target_dir()),
            package => (self.sandbox.path(package), target_of_packages()),
        };
        let mut script = format!("export CARGO_TARGET_DIR='{}'; exec 2>&1; __code=0\n", target.display());
        for step in &steps {
            // The code of the command before is what `echo $?` is to see.
            script += &format!("printf '%s\\n' '{MARK}'; (exit $__code)\n{}\n__code=$?\n", step.command);
            script += &format!("printf '%s%s\\n' '{MARK}' $__code\n");
        }
        let done = Run::new(self.shell(&place, &script)).limit(LIMIT).done();
        let all = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut rest = all.as_str();
        for (number, step) in steps.iter().enumerate() {
            let (_, after) =
                rest.split_once(&format!("{MARK}\n")).unwrap_or_else(|| panic!("{at}: ended early\n{all}"));
            let (said, after) = after.split_once(MARK).unwrap_or_else(|| panic!("{at}: ended early\n{all}"));
            let (code, after) = after.split_once('\n').expect("a line");
            rest = after;
            let code_is_asked = steps.get(number + 1).is_some_and(|next| next.command == "echo $?");
            assert!(code == "0" || code_is_asked, "{at}: `{}` exits {code}:\n{said}", step.command);
            let same = step.output.is_empty() || agrees(&step.output, &said.lines().collect::<Vec<_>>());
            assert!(same, "{at}: `{}` is to say\n{}\nand says\n{said}", step.command, step.output.join("\n"));
        }
    }

    /// Ends what the page left running; records and logs may stay.
    pub fn end(self) {
        self.sandbox.kill_all();
        self.sandbox.allow("run/onready/**").allow("state/onready/**").allow("home/**");
        self.sandbox.finish();
    }
}

/// The folder that the tests were built in.
pub fn target_dir() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_onready"));
    program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists()).expect("a target directory").to_owned()
}

/// Where packages that a page makes are built.
pub fn target_of_packages() -> PathBuf {
    target_dir().join("docs")
}

/// All console blocks of a page; its other blocks with a title are files beside.
pub fn page(name: &str, bench: &Bench) {
    for block in blocks(&read(name)) {
        match block.language.as_str() {
            "console" => bench.run(name, &block),
            _ if !block.title.is_empty() => {
                let path = bench.sandbox().path(&block.title);
                std::fs::create_dir_all(path.parent().expect("a folder")).expect("make the folder");
                std::fs::write(path, bench.text(&block.text)).expect("write the file");
            }
            _ => {}
        }
    }
}

fn is_run_elsewhere(step: &Step) -> bool {
    let known = ELSEWHERE.iter().find(|(command, _)| *command == step.command);
    known.is_some_and(|(command, file)| {
        assert!(read(file).contains(command), "{file} does not run `{command}`");
        true
    })
}

fn steps(text: &str, at: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.into(), output: Vec::new() });
            continue;
        }
        let last = steps.last_mut().unwrap_or_else(|| panic!("{at}: begins with no command"));
        match line.strip_prefix("> ") {
            Some(more) if last.output.is_empty() => last.command += &format!("\n{more}"),
            _ => last.output.push(line.trim_end().into()),
        }
    }
    steps
}

/// Whether the lines are those that are stated.
fn agrees(stated: &[String], said: &[&str]) -> bool {
    match (stated, said) {
        ([], said) => said.is_empty(),
        ([dots, rest @ ..], said) if dots == "..." => (0..=said.len()).any(|skip| agrees(rest, &said[skip..])),
        ([one, rest @ ..], [line, more @ ..]) => normal(one) == normal(line) && agrees(rest, more),
        _ => false,
    }
}

/// A line in which numbers do not matter, unless it is nothing else.
fn normal(line: &str) -> String {
    let line = line.trim_end();
    if line.bytes().all(|byte| byte.is_ascii_digit()) {
        return line.into();
    }
    let mut text = String::new();
    for word in line.split_whitespace() {
        let mut number = false;
        for character in word.chars() {
            let is_digit = character.is_ascii_digit() || number && character == '.';
            if is_digit && !number {
                text.push('#');
            }
            number = is_digit;
            if !is_digit {
                text.push(character);
            }
        }
        text.push(' ');
    }
    // Milliseconds or seconds, minutes or hours: as busy as the machine is.
    [("#ms", "#s"), ("# ms", "# s"), ("# µs", "# s"), ("# min", "# s")]
        .iter()
        .fold(text, |text, (a, b)| text.replace(a, b))
}

#[test]
fn numbers_do_not_matter_but_words_do() {
    let same = |a: &str, b: &str| agrees(&[a.into()], &[b]);
    assert!(same("ready after 2.5 ms (pid 17)", "ready after 1 s  (pid 4)"));
    assert!(!same("ready after 2.5 ms", "late after 2.5 ms"));
    assert!(same("3", "3") && !same("3", "4"));
    let stated = ["a", "...", "z"].map(String::from);
    assert!(agrees(&stated, &["a", "b", "c", "z"]) && agrees(&stated, &["a", "z"]) && !agrees(&stated, &["a"]));
}
