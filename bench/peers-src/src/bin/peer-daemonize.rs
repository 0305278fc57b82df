//! The launcher ends before the server has begun: no readiness at all.
use clap::Parser;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cli = peers::Cli::parse();
    if cli.daemonize {
        daemonize::Daemonize::new().start()?;
    }
    peers::serve(cli.start()?)
}
