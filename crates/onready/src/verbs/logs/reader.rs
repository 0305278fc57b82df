//! One log, read from somewhere near its end on, across rotation and truncation.

use super::open::KEPT;
use super::starts::{self, Start};
use crate::private_dir::Use;
use crate::verbs::folder::Folder;
use crate::verbs::time::moment;
use rustix::fs::{FileType, Mode, OFlags, fstat};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

const CHUNK: usize = 64 * 1024;

/// Where bytes and our own lines go.
pub(super) struct Output<'a> {
    out: &'a mut dyn Write,
    fd: BorrowedFd<'a>,
    note: &'a mut dyn FnMut(&str),
    several: bool,
    /// Whose bytes came last.
    last: Option<String>,
}

impl<'a> Output<'a> {
    pub(super) fn new(
        out: &'a mut dyn Write,
        fd: BorrowedFd<'a>,
        note: &'a mut dyn FnMut(&str),
        several: bool,
    ) -> Output<'a> {
        Output { out, fd, note, several, last: None }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'a> {
        self.fd
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Whether no bytes have come yet.
    pub(super) fn is_silent(&self) -> bool {
        self.last.is_none()
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        (self.note)(text);
        Ok(())
    }

    /// A line of ours stands before the first bytes of a start, and where bytes of another stream begin.
    fn bytes(&mut self, reader: &mut Reader, bytes: &[u8]) -> io::Result<()> {
        let label = reader.label();
        let is_another = self.several && self.last.as_ref() != Some(&label);
        match reader.started.take() {
            Some(at) if self.several => self.say(&format!("{label}, started {}:", moment(at)))?,
            Some(at) => self.say(&format!("{}, started {}:", reader.name, moment(at)))?,
            None if is_another => self.say(&format!("{label}:"))?,
            None => {}
        }
        self.last = Some(label);
        self.out.write_all(bytes)
    }
}

/// One log.
pub(super) struct Reader {
    name: String,
    stream: usize,
    path: PathBuf,
    /// Where the starts are on record, if it is a log that we rotate.
    folder: Option<PathBuf>,
    file: Option<File>,
    at: u64,
    /// The last start that was passed.
    marked: u64,
    /// A start of which nothing was shown yet.
    started: Option<u64>,
}

impl Reader {
    pub(super) fn new(name: &str, stream: usize, path: PathBuf, folder: &Path) -> Reader {
        let folder = (path.parent() == Some(folder)).then(|| folder.to_owned());
        Reader { name: name.into(), stream, path, folder, file: None, at: 0, marked: 0, started: None }
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }

    fn label(&self) -> String {
        format!("{} of {}", ["stdout", "stderr"][self.stream], self.name)
    }

    fn dir(&self) -> Option<Folder> {
        self.folder.as_ref().filter(|folder| folder.is_dir()).and_then(|folder| Folder::open(folder, Use::Logs).ok())
    }

    /// Shows what is there: all, or the last lines.
    pub(super) fn history(&mut self, lines: Option<u64>, output: &mut Output<'_>) -> io::Result<()> {
        let mut parts = Vec::new();
        let mut left = lines;
        for number in 0..=if self.folder.is_some() { KEPT } else { 0 } {
            let path = if number == 0 { self.path.clone() } else { numbered(&self.path, number) };
            let Some(file) = open(&path)? else { continue };
            let to = file.metadata()?.len();
            let (from, found) = left.map_or(Ok((0, 0)), |lines| tail(&file, to, lines))?;
            left = left.map(|left| left - found);
            parts.push((number, file, from, to));
            if left == Some(0) {
                break;
            }
        }
        let dir = self.dir();
        while let Some((number, file, from, to)) = parts.pop() {
            let starts = dir.as_ref().map_or_else(Vec::new, |dir| starts::read(dir, number));
            self.show(&file, from, to, &starts, output)?;
            if number == 0 {
                (self.file, self.at) = (Some(file), to);
            }
        }
        Ok(())
    }

    /// Shows what has come since.
    pub(super) fn pump(&mut self, output: &mut Output<'_>) -> io::Result<()> {
        loop {
            let starts = self.dir().map_or_else(Vec::new, |dir| starts::read(&dir, 0));
            if let Some(file) = self.file.take() {
                let size = file.metadata()?.len();
                if size < self.at {
                    output.say(&format!("{} was truncated", self.label()))?;
                    self.at = 0;
                }
                let is_current = self.is_at_its_path(&file);
                self.show(&file, self.at, size, if is_current { &starts } else { &[] }, output)?;
                self.at = size;
                if is_current || !self.path.exists() {
                    self.file = Some(file);
                    return output.finish();
                }
            }
            self.at = 0;
            self.file = open(&self.path)?;
            if self.file.is_none() {
                return output.finish();
            }
        }
    }

    fn is_at_its_path(&self, file: &File) -> bool {
        match (file.metadata(), self.path.metadata()) {
            (Ok(ours), Ok(there)) => (ours.ino(), ours.dev()) == (there.ino(), there.dev()),
            _ => false,
        }
    }

    /// Bytes, and between them the starts, each once.
    fn show(&mut self, file: &File, from: u64, to: u64, starts: &[Start], output: &mut Output<'_>) -> io::Result<()> {
        let mut at = from;
        for start in starts {
            let here = start.sizes[self.stream];
            if start.at > self.marked && (at..=to).contains(&here) {
                self.copy(file, at, here, output)?;
                (self.marked, self.started, at) = (start.at, Some(start.at), here);
            }
        }
        self.copy(file, at, to, output)
    }

    fn copy(&mut self, file: &File, mut from: u64, to: u64, output: &mut Output<'_>) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        while from < to {
            let room = usize::try_from(to - from).unwrap_or(CHUNK).min(CHUNK);
            match file.read_at(&mut buffer[..room], from)? {
                0 => break,
                count => {
                    output.bytes(self, &buffer[..count])?;
                    from += count as u64;
                }
            }
        }
        Ok(())
    }
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(format!(".{number}"));
    path.into()
}

/// A log is a file; what else a path may name (a terminal, a FIFO, `/dev/null`) has no past.
fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => {
            let is_file = FileType::from_raw_mode(fstat(&fd)?.st_mode) == FileType::RegularFile;
            Ok(is_file.then(|| fd.into()))
        }
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NXIO) => Ok(None),
        Err(error) => Err(io::Error::new(io::Error::from(error).kind(), format!("{}: {error}", path.display()))),
    }
}

/// Where the last lines begin, and how many those are.
fn tail(file: &File, size: u64, lines: u64) -> io::Result<(u64, u64)> {
    let mut buffer = vec![0; CHUNK];
    let (mut end, mut found) = (size, 0);
    if size == 0 || lines == 0 {
        return Ok((size, 0));
    }
    while end > 0 {
        let start = end.saturating_sub(CHUNK as u64);
        let part = &mut buffer[..usize::try_from(end - start).unwrap_or(CHUNK)];
        file.read_exact_at(part, start)?;
        for (n, _) in part.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n') {
            let next = start + n as u64 + 1;
            // The one at the very end closes the last line.
            if next == size {
                continue;
            }
            found += 1;
            if found == lines {
                return Ok((next, found));
            }
        }
        end = start;
    }
    Ok((0, found + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(text: &[u8], lines: u64) -> (Vec<u8>, u64) {
        let fd = rustix::fs::memfd_create(c"log", rustix::fs::MemfdFlags::CLOEXEC).expect("a file");
        let mut file = File::from(fd);
        file.write_all(text).expect("room");
        let (from, found) = tail(&file, text.len() as u64, lines).expect("readable");
        (text[usize::try_from(from).expect("small")..].to_vec(), found)
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        for (text, lines, last, found) in [
            ("", 3, "", 0),
            ("a\nb\nc\n", 0, "", 0),
            ("a\nb\nc\n", 1, "c\n", 1),
            ("a\nb\nc\n", 2, "b\nc\n", 2),
            ("a\nb\nc\n", 3, "a\nb\nc\n", 3),
            ("a\nb\nc\n", 9, "a\nb\nc\n", 3),
            ("a\nb\nhalf", 2, "b\nhalf", 2),
            ("\n\n\n", 2, "\n\n", 2),
            ("one", 1, "one", 1),
        ] {
            assert_eq!(tail_of(text.as_bytes(), lines), (last.as_bytes().to_vec(), found), "{text:?} {lines}");
        }
        let long = "x".repeat(CHUNK - 1) + "\n" + &"y".repeat(3 * CHUNK) + "\nz\n";
        assert_eq!(tail_of(long.as_bytes(), 2).0.len(), 3 * CHUNK + 3);
        assert_eq!(tail_of(long.as_bytes(), 3).0.len(), long.len());
    }
}
