//! A tokio server: a runtime with many threads is no obstacle. `cargo run --features clap --example axum -- --daemonize`
use axum::{Router, routing::get};
use clap::Parser;
use std::net::SocketAddr;

/// Answers HTTP requests with "hello".
#[derive(Parser)]
struct Cli {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    launch: onready::Launch,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let cli = Cli::parse();
    let ready = cli.launch.enter();
    ready.status("binding")?;
    let listener = tokio::net::TcpListener::bind(cli.listen).await?;
    println!("http://{}/", listener.local_addr()?);
    ready.notify()?;
    let app = Router::new().route("/", get(|| async { "hello\n" }));
    axum::serve(listener, app).await
}
