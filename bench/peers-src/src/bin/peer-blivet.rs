use blivet::{DaemonConfig, daemonize};
use clap::Parser;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = peers::Cli::parse();
    let mut config = DaemonConfig::new();
    config.foreground(!cli.daemonize);
    let mut context = daemonize(&config)?;
    let listener = cli.start()?;
    context.notify_parent()?;
    peers::serve(listener)
}
