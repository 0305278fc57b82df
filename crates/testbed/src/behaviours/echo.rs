//! Listens and sends back what each connection sends.

use super::serve::{Reply, address, open, serve};
use super::{Answer, Args};
use std::path::Path;
use std::time::Duration;

pub(super) const USAGE: &str = "[--host ADDR] [--port N (0)] | --unix PATH | --abstract NAME | --inherited FD   [--port-file F]";

pub(super) fn run(mut args: Args) -> Answer {
    let address = address(&mut args)?;
    let file = args.value("--port-file")?;
    args.done()?;
    let socket = open(&address, false, true)?;
    if let Some(file) = file {
        let name = socket.to_string();
        let short = name
            .rsplit_once(':')
            .map_or(name.as_str(), |(_, port)| port);
        crate::wait::write_whole(Path::new(&file), format!("{short}\n").as_bytes())?;
    }
    let reply = Reply {
        text: String::new(),
        codes: Vec::new(),
        http: false,
        echo: true,
        after: Duration::ZERO,
    };
    serve(&socket, reply)
}
