//! For packagers: completions and the manual page.

use crate::cli::Cli;
use crate::manual::{ENVIRONMENT, EXAMPLES, EXIT_CODES};
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};

/// Prints the completions for a shell.
pub fn completions(shell: Shell) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "onready", &mut text);
    let generated = || String::from_utf8_lossy(&text);
    match shell {
        Shell::Zsh => text = for_zsh(&generated()).into_bytes(),
        Shell::Bash => text = for_bash(&generated()).into_bytes(),
        Shell::Fish => text.extend(FOR_FISH.as_bytes()),
        _ => {}
    }
    print(&text)
}

/// Behind `--`, as at the beginning of a line.
const FOR_FISH: &str = r#"function __onready_behind_the_dashes
    set -l words (commandline -opc)
    while set -q words[1]; and test "$words[1]" != --
        set -e words[1]
    end
    complete -C (string join ' ' -- (string escape -- $words[2..]) (commandline -ct))
end
complete -c onready -n 'contains -- -- (commandline -opc)' -f -a '(__onready_behind_the_dashes)'
"#;

/// Behind `--`, what is generated offers files and our verbs; there stands another command line.
fn for_bash(generated: &str) -> String {
    const BEHIND_THE_DASHES: &str = "_onready() {
    local dashes
    for (( dashes = 1; dashes < COMP_CWORD; dashes++ )); do
        if [[ ${COMP_WORDS[dashes]} != -- ]]; then
            continue
        fi
        if declare -F _command_offset >/dev/null; then
            _command_offset $(( dashes + 1 ))
        elif (( COMP_CWORD == dashes + 1 )); then
            COMPREPLY=($(compgen -c -- \"$2\"))
        else
            COMPREPLY=($(compgen -f -- \"$2\"))
        fi
        return
    done
";
    generated.replacen("_onready() {\n", BEHIND_THE_DASHES, 1)
}

/// What is generated takes the first word for COMMAND, though that comes behind `--` only, and offers no verb; so that
/// argument is taken out, and behind `--` zsh completes as at the beginning of a line.
fn for_zsh(generated: &str) -> String {
    const BEHIND_THE_DASHES: &str = "_onready() {
    local dashes=${words[(i)--]}
    if (( dashes < CURRENT )); then
        shift $dashes words
        (( CURRENT -= dashes ))
        _normal
        return
    fi
";
    let is_command = |line: &&str| line.starts_with("':command -- ");
    let kept: Vec<&str> = generated.lines().filter(|line| !is_command(line)).collect();
    kept.join("\n").replace("$line[2]", "$line[1]").replacen("_onready() {\n", BEHIND_THE_DASHES, 1) + "\n"
}

/// Prints the manual page.
pub fn man() -> u8 {
    let mut text = Vec::new();
    match page(&mut text) {
        Ok(()) => print(&text),
        Err(_) => 125,
    }
}

/// Whoever reads it may have gone: `onready man | head`.
fn print(text: &[u8]) -> u8 {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            crate::report::say(&format!("cannot write to stdout: {error}"));
            125
        }
        _ => 0,
    }
}

fn page(to: &mut dyn Write) -> io::Result<()> {
    let command = Cli::command();
    let man = Man::new(command.clone()).manual("User Commands");
    man.render_title(to)?;
    man.render_name_section(to)?;
    section(to, "SYNOPSIS", |roff| {
        for form in ["onready [OPTIONS] -- COMMAND [ARG]...", "onready VERB [OPTIONS] ..."] {
            roff.control("PP", []).text([bold(form)]);
        }
    })?;
    man.render_description_section(to)?;
    man.render_options_section(to)?;
    section(to, "VERBS", |roff| command.get_subcommands().for_each(|verb| verb_of(roff, verb)))?;
    section(to, "EXIT STATUS", |roff| list(roff, &EXIT_CODES))?;
    section(to, "EXAMPLES", |roff| {
        for (line, what) in EXAMPLES {
            roff.control("PP", []).text([roman(what)]);
            roff.control("PP", []).control("RS", ["4"]).text([bold(line)]).control("RE", []);
        }
    })?;
    section(to, "ENVIRONMENT", |roff| list(roff, &ENVIRONMENT))?;
    section(to, "SEE ALSO", |roff| {
        roff.text([roman(
            "sd_notify(3), systemd-notify(1), systemd.service(5), sd_listen_fds(3), timeout(1), pidfd_open(2)",
        )]);
    })?;
    man.render_version_section(to)
}

fn section(to: &mut dyn Write, title: &str, fill: impl FnOnce(&mut Roff)) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [title]);
    fill(&mut roff);
    roff.to_writer(to)
}

fn list(roff: &mut Roff, rows: &[(&str, &str)]) {
    for (left, right) in rows {
        roff.control("TP", []).text([bold(*left)]).text([roman(*right)]);
    }
}

/// A verb with its own options; `ensure` takes those of a start as well.
fn verb_of(roff: &mut Roff, verb: &Command) {
    let mut verb = verb.clone().bin_name(format!("onready {}", verb.get_name()));
    let usage = verb.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim().to_owned();
    roff.control("SS", [usage.as_str()]);
    let about = verb.get_long_about().or_else(|| verb.get_about());
    roff.text([roman(about.map(ToString::to_string).unwrap_or_default())]);
    let is_own = |argument: &&clap::Arg| argument.get_help_heading().is_none() && !argument.is_hide_set();
    for argument in verb.get_arguments().filter(is_own) {
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        if argument.get_id() != "help" {
            roff.control("TP", []).text([bold(argument.to_string())]).text([roman(help)]);
        }
    }
}
