//! `bench-flood BYTES [FD]`: writes BYTES to stdout; then a line to FD, and waits; without FD it ends.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let usage = || io::Error::other("usage: bench-flood BYTES [FD]");
    let bytes = args.next().and_then(|text| text.parse().ok()).ok_or_else(usage)?;
    bench::flood::pour(bytes)?;
    let Some(number) = args.next() else {
        return Ok(());
    };
    bench::sys::descriptor(number.parse().map_err(|_| usage())?)?.write_all(b"\n")?;
    loop {
        std::thread::park();
    }
}
