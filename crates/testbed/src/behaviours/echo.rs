//! Listens and sends back what each connection sends.

use super::serve::{Reply, Way, address, open, serve};
use super::{Answer, Args};
use std::time::Duration;

pub(super) const USAGE: &str =
    "[--host ADDR] [--port N (0)] | --unix PATH | --abstract NAME | --inherited FD   [--port-file F]";

pub(super) fn run(mut args: Args) -> Answer {
    let address = address(&mut args)?;
    let file = args.value("--port-file")?;
    args.done()?;
    let socket = open(&address, &Way { reuse_port: false, listening: true, datagram: false })?;
    if let Some(file) = file {
        socket.write_port(&file)?;
    }
    let reply = Reply { text: String::new(), codes: Vec::new(), http: false, echo: true, after: Duration::ZERO };
    serve(&socket, reply)
}
