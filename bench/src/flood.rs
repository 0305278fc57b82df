//! Much output: what both flood servers write.

use std::io::{self, Write};
use std::os::fd::AsFd;

/// Write `bytes` bytes to stdout, 64 KiB at a time, past std's buffer.
///
/// # Errors
/// Those of write(2).
pub fn pour(bytes: u64) -> io::Result<()> {
    let mut out = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let block: Vec<u8> = b"a line of start-up output, sixty-three bytes long, and an end..\n".repeat(1024);
    let mut left = bytes;
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        out.write_all(&block[..now])?;
        left -= now as u64;
    }
    Ok(())
}
