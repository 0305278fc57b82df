//! `start`, `stop`, `status`, `restart` and `logs` for any clap program, by hand as `--daemonize`.

use super::logs::Show;
use super::named::Named;
use super::restart::restart;
use super::schedule::Schedule;
use super::state::{Claim, Record, default_name};
use super::teller::Teller;
use crate::Launch;
use crate::error::exit_code;
use crate::launcher;
use clap::{Arg, ArgAction, ArgMatches, Command, Error, FromArgMatches, Subcommand, value_parser};
use std::ops::ControlFlow;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;

/// The subcommands `start`, `stop`, `status`, `restart` and `logs`, as the program `onready` has them.
///
/// ```no_run
/// use clap::Parser;
/// use std::net::{SocketAddr, TcpListener};
///
/// #[derive(Parser)]
/// struct Cli {
///     #[arg(long, global = true, default_value = "127.0.0.1:8080")]
///     listen: SocketAddr,
///     #[command(flatten)]
///     launch: onready::Launch, // adds --daemonize
///     #[command(subcommand)]
///     control: Option<onready::verbs::Control>, // adds start, stop, status, restart, logs
/// }
///
/// fn main() -> std::io::Result<()> {
///     let cli = Cli::parse();
///     let ready = cli.launch.control(cli.control).enter(); // only the server comes back from this
///     let listener = TcpListener::bind(cli.listen)?;
///     ready.notify()?;
///     # drop(listener);
///     Ok(())
/// }
/// ```
///
/// The name is the program's, unless `--name` says otherwise. What is on record under it is what the program
/// `onready` shows too.
#[derive(Clone, Debug)]
pub struct Control {
    verb: Verb,
    name: String,
    state_dir: Option<PathBuf>,
    json: bool,
    quiet: bool,
}

#[derive(Clone, Debug)]
enum Verb {
    Start { fail_if_running: bool },
    Stop(Schedule),
    Restart(Schedule),
    Status,
    Logs(Show),
}

impl Launch {
    /// Does what one of the subcommands of [`Control`] asks for. After `start`, or without a subcommand, it returns
    /// what [`Launch::enter`] is to be called on; all others are done here, and end the process with their exit code.
    #[allow(clippy::disallowed_methods)] // ending the process is what it is for
    pub fn control(self, control: impl Into<Option<Control>>) -> Launch {
        match self.try_control(control) {
            ControlFlow::Continue(launch) => launch,
            ControlFlow::Break(code) => std::process::exit(code.into()),
        }
    }

    /// As [`Launch::control`], but never ends the process: breaks with the exit code.
    pub fn try_control(self, control: impl Into<Option<Control>>) -> ControlFlow<u8, Launch> {
        match control.into() {
            None => ControlFlow::Continue(self),
            Some(Control { verb: Verb::Start { fail_if_running }, name, state_dir, json, .. }) => {
                let mut launch = self.daemonize(true);
                launch.settings.named = Some(Named { name, state_dir, json, fail_if_running });
                ControlFlow::Continue(launch)
            }
            Some(control) => ControlFlow::Break(control.run()),
        }
    }
}

impl Control {
    fn run(&self) -> u8 {
        let teller = Teller { program: launcher::own_name(), json: self.json, quiet: self.quiet, refresh: |_| () };
        let state = match teller.open(self.state_dir.as_deref()) {
            Ok(state) => state,
            Err(code) => return code,
        };
        let names = std::slice::from_ref(&self.name);
        match &self.verb {
            Verb::Start { .. } => exit_code::FAILED,
            Verb::Stop(schedule) => teller.stop(&state, names, schedule),
            Verb::Status => teller.status(&state, names),
            Verb::Logs(show) => teller.logs(&state, names, show),
            Verb::Restart(schedule) => match restart(&state, &self.name, schedule, |_| Ok(()), start_again) {
                Ok((stopped, Ok(code))) => {
                    if stopped.is_trouble() {
                        teller.say(&stopped.text());
                    }
                    code
                }
                Ok((_, Err(error))) => {
                    teller.say(&format!("cannot start {} again: {error}", self.name));
                    exit_code::FAILED
                }
                Err(error) => {
                    teller.say(&error.to_string());
                    error.exit_code()
                }
            },
        }
    }
}

/// Runs the command line that started it, in the environment and the directory of that time. It takes the lock itself.
fn start_again(claim: Claim, record: &Record) -> std::io::Result<u8> {
    drop(claim);
    let program = record.program.clone().unwrap_or_else(launcher::own_program);
    let mut command = std::process::Command::new(program);
    let (name, arguments) = record.start_arguments.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    command.arg0(name).args(arguments).env_clear().envs(record.environment.iter());
    command.current_dir(record.directory.as_deref().unwrap_or("/".as_ref()));
    let status = command.status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.or(status.signal().map(exit_code::of_signal)).unwrap_or(exit_code::FAILED))
}

const VERBS: [&str; 5] = ["start", "stop", "status", "restart", "logs"];

fn subcommand(verb: &str) -> Command {
    let command = match verb {
        "start" => Command::new("start")
            .about("Start the server in the background under its name; success if it runs already")
            .arg(flag("fail-if-running", "A server that runs already is an error (69)")),
        "stop" => Command::new("stop")
            .about("Stop the server: SIGTERM, wait for the real end, SIGKILL after 10 s")
            .arg(retry()),
        "status" => {
            Command::new("status").about("Say how it is: exit 0 ready, 1 dead, 3 stopped, 4 unknown, 150 starting")
        }
        "restart" => Command::new("restart").about("Stop it, and start it again as it was started").arg(retry()),
        _ => Command::new("logs")
            .about("Show what it has printed")
            .arg(flag("follow", "Stay, and show what comes").short('f'))
            .arg(
                Arg::new("lines")
                    .short('n')
                    .long("lines")
                    .value_name("N")
                    .default_value("10")
                    .value_parser(value_parser!(u64))
                    .help("How many lines from the end"),
            ),
    };
    let command = match verb {
        "logs" => command,
        _ => command.arg(flag("json", "Print JSON")).arg(flag("quiet", "Say nothing but errors").short('q')),
    };
    command.arg(Arg::new("name").long("name").value_name("NAME").help("Its name, if it is not the program's")).arg(
        Arg::new("state-dir")
            .long("state-dir")
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Where names and states are kept"),
    )
}

fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn retry() -> Arg {
    Arg::new("retry")
        .long("retry")
        .value_name("SCHEDULE")
        .default_value("TERM/10s/KILL/5s")
        .value_parser(|text: &str| text.parse::<Schedule>())
        .help("Signals, and how long to wait for the end after each")
}

impl Subcommand for Control {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(VERBS.map(subcommand))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Control::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        VERBS.contains(&name)
    }
}

impl FromArgMatches for Control {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let missing = || Error::raw(clap::error::ErrorKind::MissingSubcommand, "a subcommand is missing\n");
        let (verb, matches) = matches.subcommand().filter(|(verb, _)| VERBS.contains(verb)).ok_or_else(missing)?;
        let is_set = |name| matches!(matches.try_get_one::<bool>(name), Ok(Some(true)));
        let schedule = || matches.get_one::<Schedule>("retry").cloned().unwrap_or_default();
        let own_name = || default_name(launcher::own_program());
        Ok(Control {
            verb: match verb {
                "start" => Verb::Start { fail_if_running: is_set("fail-if-running") },
                "stop" => Verb::Stop(schedule()),
                "restart" => Verb::Restart(schedule()),
                "status" => Verb::Status,
                _ => {
                    let lines = matches.get_one("lines").copied();
                    Verb::Logs(Show { lines, follow: is_set("follow"), ..Show::default() })
                }
            },
            name: matches.get_one("name").cloned().unwrap_or_else(own_name),
            state_dir: matches.get_one("state-dir").cloned(),
            json: is_set("json"),
            quiet: is_set("quiet"),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Control::from_arg_matches(matches)?;
        Ok(())
    }
}
