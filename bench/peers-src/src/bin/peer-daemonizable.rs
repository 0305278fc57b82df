//! Three execs: the caller's, stage 1, stage 2. The daemon gets no arguments; they travel over the channel.
use clap::Parser;
use daemonizable::{Daemonizable, Daemonizer, RpcServer, detach_stdio};
use serde::{Deserialize, Serialize};
use std::process::ExitCode;

struct App;

#[derive(Serialize, Deserialize)]
struct Config {
    listen: String,
    init_ms: u64,
    fail: Option<u8>,
}

#[daemonizable::main]
impl Daemonizable for App {
    type Request = Config;
    type Response = Result<(), String>;

    fn build_id() -> String {
        "peer 0".to_owned()
    }

    fn run_foreground(daemonizer: Daemonizer<Self>) -> ExitCode {
        let cli = peers::Cli::parse();
        if !cli.daemonize {
            match cli.start() {
                Ok(listener) => peers::serve(listener),
                Err(_) => return ExitCode::FAILURE,
            }
        }
        let mut rpc = daemonizer.spawn_daemon().unwrap();
        rpc.send_request(&Config { listen: cli.listen, init_ms: cli.init_ms, fail: cli.fail }).unwrap();
        match rpc.recv_response_blocking() {
            Ok(Ok(())) => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }

    fn run_daemon(mut rpc: RpcServer<Config, Result<(), String>>) -> ! {
        let config = rpc.next_request().unwrap();
        let cli =
            peers::Cli { listen: config.listen, init_ms: config.init_ms, fail: config.fail, daemonize: false };
        match cli.start() {
            Ok(listener) => {
                rpc.send_response(&Ok(())).unwrap();
                detach_stdio().unwrap();
                drop(rpc);
                peers::serve(listener)
            }
            Err(error) => {
                rpc.send_response(&Err(error.to_string())).unwrap();
                std::process::exit(1)
            }
        }
    }
}
