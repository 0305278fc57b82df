//! A server that writes one line to a descriptor (3) at once, closes it and waits: what `--until fd:3` costs.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut channel = bench::sys::descriptor(3)?;
    channel.write_all(b"\n")?;
    drop(channel);
    loop {
        std::thread::park();
    }
}
