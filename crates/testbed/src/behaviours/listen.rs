//! Listens on one address and answers every connection with `pong\n`.

use super::serve::{Reply, Way, address, open, serve};
use super::{Answer, Args, daemonize, put, stay};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

pub(super) const USAGE: &str = "[--host ADDR] [--port N (0)] | --unix PATH | --abstract NAME | --inherited FD   \
     [--after-ms MS] [--not-listening | --datagram] [--reuse-port] [--port-file F] [--announce] [--busy-ms MS] \
     [--accept-after-ms MS] [--reply-after-ms MS] [--text TEXT] [--http [--code N]...] [--background -- NEXT]";

pub(super) fn run(mut args: Args) -> Answer {
    let address = address(&mut args)?;
    let after = args.millis("--after-ms")?;
    let datagram = args.flag("--datagram");
    let listening = !args.flag("--not-listening") && !datagram;
    let way = Way { reuse_port: args.flag("--reuse-port"), listening, datagram };
    let file = args.value("--port-file")?;
    let announce = args.flag("--announce");
    let busy = args.millis("--busy-ms")?;
    let accept_after = args.millis("--accept-after-ms")?;
    let reply = reply(&mut args)?;
    let background = args.flag("--background");

    sleep(after);
    let socket = open(&address, &way)?;
    if let Some(file) = file {
        socket.write_port(&file)?;
    }
    if announce {
        put(1, format!("listening on {socket}\n").as_bytes())?;
    }
    tell_the_daemonizer()?;
    be_busy(busy);
    let serving = move || {
        sleep(accept_after);
        if listening { serve(&socket, reply) } else { stay::wait() }
    };
    if background {
        spawn(serving);
        return args.then();
    }
    args.done()?;
    serving()
}

fn reply(args: &mut Args) -> std::io::Result<Reply> {
    let text = args.value("--text")?.unwrap_or_else(|| "pong\\n".into());
    let codes = args.values("--code")?;
    let code = |code: &String| code.parse().map_err(|_| super::usage("--code is a number"));
    Ok(Reply {
        text: String::from_utf8_lossy(&super::unescape(&text)).into_owned(),
        codes: codes.iter().map(code).collect::<Result<_, _>>()?,
        http: args.flag("--http"),
        echo: false,
        after: args.millis("--reply-after-ms")?,
    })
}

/// Works, as postgres does between listening and being ready.
fn be_busy(time: Duration) {
    let end = Instant::now() + time;
    let mut sum = 0_u64;
    while Instant::now() < end {
        sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
    }
}

/// `daemonize --when ready` waits for this byte.
fn tell_the_daemonizer() -> std::io::Result<()> {
    let named = std::env::var(daemonize::READY_FD).ok();
    if let Some(fd) = named.and_then(|fd| fd.parse().ok()) {
        put(fd, b"+")?;
        crate::sys::close_fd(fd);
    }
    Ok(())
}
