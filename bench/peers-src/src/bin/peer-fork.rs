use clap::Parser;
use fork::{CheckedDaemon, DaemonOptions, checked_daemon};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = peers::Cli::parse();
    if !cli.daemonize {
        peers::serve(cli.start()?);
    }
    let mut options = DaemonOptions::new();
    options.current_directory("/")?.redirect_standard_io_to_null()?;
    if let CheckedDaemon::Daemon(notifier) = checked_daemon(options, Duration::from_secs(90))? {
        match cli.start() {
            Err(error) => notifier.fail_and_exit(&error),
            Ok(listener) => {
                notifier.notify_ready()?;
                peers::serve(listener)
            }
        }
    }
    Ok(())
}
