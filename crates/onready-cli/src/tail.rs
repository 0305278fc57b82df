//! Carries the logs to the caller while the server starts: every byte that is appended, each stream in order.
//!
//! The logs are files from birth, so a caller that reads slowly is no trouble: the file is the buffer.
//!
//! They are looked at, not watched: closing an inotify descriptor waits for a grace period of the kernel, 10 to 20 ms
//! that every start would pay at its end. A look is two fstat(2).
//!
//! # References
//! splice(2), lseek(2)

use crate::outlet::Outlet;
use crate::until::{Lines, Matcher};
use crate::world::SharedWorld;
use onready::engine::{Event, Interest, PATIENCE, Source};
use std::cell::{OnceCell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

const CHUNK: usize = 64 * 1024;
/// The shortest and the longest time between two looks while nothing is written...
const SOONEST: Duration = Duration::from_micros(500);
const LATEST: Duration = Duration::from_millis(250);
/// ... and when lines of the output are waited for.
const LATEST_FOR_LINES: Duration = Duration::from_millis(4);
/// In between, a look comes after this part of the time that nothing has been written.
const PART: u32 = 16;
/// What is kept of the last output, for the message when the start fails.
const LAST: u64 = 2048;

/// Which parts of a file that both streams share were written by which.
///
/// Each stream has an open file description of its own, whose position is where its last write ended. Between two
/// looks, what lies behind the smaller of two moved positions is surely the other's; only a server that changes
/// streams more than once between two looks can have a piece told as the wrong one's. Bytes are never lost by this,
/// and `--stdout` with `--stderr` is exact.
struct Split {
    positions: [File; 2],
    seen: [u64; 2],
    told: u64,
    nobodys: Option<u64>,
    pieces: VecDeque<(u64, usize)>,
}

impl Split {
    fn look(&mut self, size: u64) {
        let mut moved: Vec<(u64, usize)> = Vec::new();
        for which in 0..2 {
            let at = self.positions[which].stream_position().unwrap_or(0);
            // Further than the size is: it was written since that was asked for, and is for the next look.
            if at > self.seen[which] && at <= size {
                moved.push((at, which));
                self.seen[which] = at;
            }
        }
        moved.sort_unstable();
        self.pieces.extend(moved.iter().filter(|(end, _)| *end > self.told).copied());
        // Written through neither: by somebody who opened the file again.
        let last = self.pieces.back().map_or(1, |piece| piece.1);
        let end = self.pieces.back().map_or(self.told, |piece| piece.0);
        // A file grows before the writer's position moves: only at the second look it is surely nobody's.
        let nobodys = (moved.is_empty() && size > end).then_some(size);
        if nobodys.is_some() && self.nobodys == nobodys {
            self.pieces.push_back((size, last));
        }
        self.nobodys = nobodys;
        self.told = self.told.max(self.pieces.back().map_or(0, |piece| piece.0));
    }
}

/// A file that grows. It is opened for reading when there is something to read: of the two logs of a start one often
/// stays empty, and an open costs more than all looks at it.
struct Text {
    path: PathBuf,
    /// What it is written through, or another of its open files: it tells the size.
    file: File,
    reader: OnceCell<File>,
}

impl Text {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn reader(&self) -> io::Result<&File> {
        if let Some(reader) = self.reader.get() {
            return Ok(reader);
        }
        let which = |file: &File| file.metadata().map(|stat| (stat.dev(), stat.ino()));
        let mut reader = File::open(&self.path)?;
        if which(&reader)? != which(&self.file)? {
            // Renamed meanwhile, and there may be another one in its place.
            reader = File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))?;
        }
        Ok(self.reader.get_or_init(|| reader))
    }

    fn read_at(&self, buffer: &mut [u8], from: u64) -> io::Result<usize> {
        self.reader()?.read_at(buffer, from)
    }
}

/// One log file, and to whom it is carried.
pub struct Log {
    text: Text,
    /// Where this start began.
    start: u64,
    /// How far the caller has got it.
    delivered: u64,
    /// How far its lines have been looked at.
    scanned: u64,
    lines: Lines,
    outlets: Vec<Outlet>,
    split: Option<Split>,
    blocked: Option<usize>,
    moved: Instant,
    /// The outcome is near: deliver what there is at the next look...
    settling: bool,
    /// ... up to here, and no further.
    quota: Option<u64>,
    /// Why its size was not to be had at the last look.
    error: Option<io::Error>,
}

impl Log {
    /// The log at this path, from its present end on; this is what it is written through.
    ///
    /// # Errors
    /// It cannot be asked how long it is.
    pub fn new(path: &Path, file: File, outlet: Outlet) -> io::Result<Log> {
        Log::with(path, file, vec![outlet])
    }

    /// A log that both streams go to, through these two open files.
    ///
    /// # Errors
    /// As [`Log::new`].
    pub fn shared(path: &Path, file: File, outlets: [Outlet; 2], positions: [File; 2]) -> io::Result<Log> {
        let mut log = Log::with(path, file, outlets.into())?;
        for mut file in &positions {
            file.seek(SeekFrom::Start(log.start))?;
        }
        let seen = [log.start; 2];
        log.split = Some(Split { positions, seen, told: log.start, nobodys: None, pieces: VecDeque::new() });
        Ok(log)
    }

    /// A log that is only read, from this position on (or from its beginning, if it is shorter by now).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn since(path: &Path, start: u64) -> io::Result<Log> {
        let mut log = Log::with(path, File::open(path)?, vec![Outlet::new("log", None)])?;
        let start = if start > log.start { 0 } else { start };
        (log.start, log.delivered, log.scanned) = (start, start, start);
        log.can_be_read()
    }

    /// Itself, if so.
    ///
    /// # Errors
    /// Why not.
    pub fn can_be_read(self) -> io::Result<Log> {
        self.text.reader()?;
        Ok(self)
    }

    fn with(path: &Path, file: File, outlets: Vec<Outlet>) -> io::Result<Log> {
        let text = Text { path: path.into(), file, reader: OnceCell::new() };
        let start = text.size()?;
        Ok(Log {
            text,
            start,
            delivered: start,
            scanned: start,
            lines: Lines::default(),
            outlets,
            split: None,
            blocked: None,
            moved: Instant::now(),
            settling: false,
            quota: None,
            error: None,
        })
    }

    fn size(&mut self) -> u64 {
        let known = self.scanned.max(self.delivered);
        let found = self.text.size();
        // What cannot be read is not counted: nobody waits for it.
        let found = found.and_then(|size| if size == known { Ok(size) } else { self.text.reader().map(|_| size) });
        let (size, error) = found.map_or_else(|error| (known, Some(error)), |size| (size, None));
        self.error = error;
        // Truncated meanwhile: what is there now is new.
        if size < self.scanned.min(self.delivered) {
            (self.start, self.delivered, self.scanned) = (0, 0, 0);
            self.split.iter_mut().for_each(|split| {
                (split.told, split.seen, split.nobodys) = (0, [0; 2], None);
                split.pieces.clear();
            });
        }
        size
    }

    /// What the server has written last, for a message.
    pub fn last(&self) -> String {
        let end = self.text.size().unwrap_or(0);
        let from = self.start.max(end.saturating_sub(LAST));
        let mut buffer = vec![0; end.saturating_sub(from) as usize];
        let length = self.text.read_at(&mut buffer, from).unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    fn scan(&mut self, size: u64, matchers: &mut [Matcher], events: &mut Vec<Event>) {
        // On the stack, its pages would be touched at every look.
        let mut buffer = vec![0; (size.saturating_sub(self.scanned) as usize).min(CHUNK)];
        while self.scanned < size {
            let wanted = (size - self.scanned).min(CHUNK as u64) as usize;
            let Ok(n @ 1..) = self.text.read_at(&mut buffer[..wanted], self.scanned) else { return };
            self.lines.put(&buffer[..n], matchers, events);
            self.scanned += n as u64;
        }
    }

    fn deliver(&mut self, size: u64) {
        let limit = self.quota.map_or(size, |quota| quota.min(size));
        self.blocked = None;
        self.split.iter_mut().for_each(|split| split.look(size));
        while self.delivered < limit && self.blocked.is_none() {
            let (end, which) = match self.split.as_ref() {
                None => (limit, 0),
                Some(split) => match split.pieces.front() {
                    Some(piece) => *piece,
                    None => return,
                },
            };
            if end <= self.delivered {
                let _ = self.split.as_mut().and_then(|split| split.pieces.pop_front());
                continue;
            }
            let Ok(file) = self.text.reader() else { return };
            match self.outlets[which].carry(file, self.delivered, end.min(limit) - self.delivered) {
                Some(0) => return,
                Some(n) => {
                    self.delivered += n;
                    self.moved = Instant::now();
                }
                None => self.blocked = Some(which),
            }
        }
    }

    fn is_settled(&self) -> bool {
        self.quota.is_some_and(|quota| self.delivered >= quota)
    }
}

/// All logs of a start.
pub struct Tail {
    logs: Vec<Log>,
    written_at: Duration,
    now: Duration,
    matchers: Vec<Matcher>,
    world: SharedWorld,
}

/// The tail, as a source that can still be asked afterwards.
pub type SharedTail = Rc<RefCell<Tail>>;

impl Tail {
    /// Of these logs; their lines go to the matchers.
    pub fn new(logs: Vec<Log>, matchers: Vec<Matcher>, world: SharedWorld) -> Tail {
        Tail { logs, written_at: Duration::ZERO, now: Duration::ZERO, matchers, world }
    }

    /// How long the logs of stdout and stderr were at the start; one that both share comes twice.
    pub fn starts(&self) -> [u64; 2] {
        let of = |log: Option<&Log>| log.map_or(0, |log| log.start);
        [of(self.logs.first()), of(self.logs.last())]
    }

    /// What could not be delivered: how many bytes of which stream, and why.
    pub fn losses(&self) -> Vec<String> {
        let unseen = |log: &Log| {
            let error = log.error.as_ref()?;
            Some(format!("cannot look at {}: {error}; what has not been shown of it is there", log.text.path.display()))
        };
        let of = |log: &Log| {
            let outlets = log.outlets.iter().filter_map(|outlet| outlet.loss(&log.text.path));
            outlets.chain(unseen(log)).collect::<Vec<_>>()
        };
        self.logs.iter().flat_map(of).collect()
    }

    /// The last lines of each log that has any.
    pub fn last_lines(&self, number: usize) -> Vec<(PathBuf, Vec<String>)> {
        let last = |log: &Log| {
            let text = log.last();
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            (log.text.path.clone(), lines[lines.len().saturating_sub(number)..].to_vec())
        };
        self.logs.iter().map(last).filter(|(_, lines)| !lines.is_empty()).collect()
    }

    fn advance(&mut self, events: &mut Vec<Event>) {
        for log in &mut self.logs {
            let size = log.size();
            if size > log.scanned.max(log.delivered) {
                self.written_at = self.now;
                self.world.borrow_mut().disturbed();
            }
            if self.matchers.is_empty() {
                log.scanned = size;
            } else {
                log.scan(size, &mut self.matchers, events);
            }
            if log.settling && log.quota.is_none() {
                log.quota = Some(size);
            }
            log.deliver(size);
            if log.quota.is_some() && log.moved.elapsed() >= PATIENCE {
                if let Some(which) = log.blocked.take() {
                    let left = log.quota.unwrap_or(size).saturating_sub(log.delivered);
                    log.outlets[which].give_up(left);
                    log.delivered += left;
                }
            }
        }
    }
}

impl Source for Tail {
    fn interest(&self, want: &mut Interest) {
        if !self.logs.is_empty() {
            let latest = if self.matchers.is_empty() { LATEST } else { LATEST_FOR_LINES };
            want.within((self.now.saturating_sub(self.written_at) / PART).clamp(SOONEST, latest));
        }
        for log in &self.logs {
            if let Some(fd) = log.blocked.and_then(|which| log.outlets[which].fd()) {
                want.write(fd);
                log.quota.iter().for_each(|_| want.within(PATIENCE));
            }
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        self.advance(events);
    }

    fn settle(&mut self) {
        for log in &mut self.logs {
            (log.settling, log.quota) = (true, None);
            log.moved = Instant::now();
        }
    }

    fn is_settled(&self) -> bool {
        self.logs.iter().all(Log::is_settled)
    }
}
