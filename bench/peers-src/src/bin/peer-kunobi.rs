//! kunobi-daemon starts a program, so the server is this one again, with a flag that keeps it in the foreground.
use clap::Parser;
use kunobi_daemon::launch::DaemonCommand;
use kunobi_daemon::readiness::channel::Notifier;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: the first thing in main; the variable is only there when the branch below has set it.
    let notifier = unsafe { Notifier::from_env() }?;
    let cli = peers::Cli::parse();
    if cli.daemonize {
        let mut command = DaemonCommand::new(std::env::current_exe()?);
        command.args(std::env::args_os().skip(1).filter(|arg| arg != "--daemonize"));
        let mut daemon = command.readiness_channel().spawn()?;
        let mut channel = daemon.take_readiness().ok_or("no channel")?;
        channel.wait(Duration::from_secs(90))?;
        return Ok(());
    }
    let listener = cli.start()?;
    if let Some(notifier) = notifier {
        notifier.ready()?;
    }
    peers::serve(listener)
}
