//! Bytes that wait for a reader: in a file without a name, so that they cost the launcher no memory of its own.
//!
//! # References
//! memfd_create(2), fallocate(2): FALLOC_FL_PUNCH_HOLE

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Room is given back in pieces of this size.
#[cfg(target_os = "linux")]
const PIECE: u64 = 1 << 20;

/// A queue of bytes.
pub struct Backlog {
    file: File,
    /// The first byte that waits.
    from: u64,
    to: u64,
    /// Up to here the file holds nothing any more.
    #[cfg(target_os = "linux")]
    freed: u64,
}

impl Backlog {
    /// An empty one.
    ///
    /// # Errors
    /// No descriptors left.
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Backlog> {
        let fd = rustix::fs::memfd_create(c"onready-backlog", rustix::fs::MemfdFlags::CLOEXEC)?;
        Ok(Backlog { file: fd.into(), from: 0, to: 0, freed: 0 })
    }

    /// An empty one.
    ///
    /// # Errors
    /// No descriptors left, or no place for temporary files.
    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Backlog> {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("onready-backlog-{}-{number}", std::process::id()));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        std::fs::remove_file(path)?;
        Ok(Backlog { file, from: 0, to: 0 })
    }

    /// How many bytes wait.
    pub fn len(&self) -> u64 {
        self.to - self.from
    }

    /// Puts all bytes at the end.
    ///
    /// # Errors
    /// No memory left; then none of them is kept.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.to)?;
        self.to += bytes.len() as u64;
        Ok(())
    }

    /// Copies the first bytes, as many as there are and fit; they stay.
    ///
    /// # Errors
    /// What pread(2) says.
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.len().min(buffer.len() as u64) as usize;
        self.file.read_exact_at(&mut buffer[..length], self.from)?;
        Ok(length)
    }

    /// The first `count` bytes are done with.
    pub fn advance(&mut self, count: usize) {
        self.from += count as u64;
        #[cfg(target_os = "linux")]
        if self.from - self.freed >= PIECE {
            use rustix::fs::{FallocateFlags, fallocate};
            // Where it is refused, the file only stays as large as all that has ever waited.
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.file, flags, self.freed, self.from - self.freed);
            self.freed = self.from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_and_room_is_given_back() {
        let mut backlog = Backlog::new().unwrap();
        let block: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
        let mut buffer = vec![0; 64 * 1024];
        for _ in 0..16 {
            backlog.push(&block).unwrap();
        }
        for _ in 0..128 {
            backlog.push(&block).unwrap();
            assert_eq!(backlog.peek(&mut buffer).unwrap(), block.len());
            assert!(buffer == block);
            backlog.advance(block.len());
        }
        assert_eq!(backlog.len(), 16 * 64 * 1024);
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::fs::MetadataExt;
            let used = backlog.file.metadata().unwrap().blocks() * 512;
            assert!(used <= 3 << 20, "{used} bytes for 1 MiB");
        }
    }
}
