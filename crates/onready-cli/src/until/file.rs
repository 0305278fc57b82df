//! `file:PATH`: a file that appears, or is renewed.
//!
//! # References
//! inotify(7), stat(2)

use onready::engine::{Event, Interest, Source};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// How often to look where the folder cannot be watched, or is not there yet.
const LOOK: Duration = Duration::from_millis(10);

/// What tells one version of a file from another.
type Version = (u64, u64, i64, i64, i64, i64);

/// The condition.
pub struct FileSign {
    sign: usize,
    path: PathBuf,
    before: Option<Version>,
    watch: Option<OwnedFd>,
}

impl FileSign {
    /// From now on; the path is made absolute.
    pub fn new(sign: usize, path: PathBuf) -> FileSign {
        let path = std::path::absolute(&path).unwrap_or(path);
        let watch = watch(&path);
        let before = version(&path);
        FileSign { sign, path, before, watch }
    }

    fn look(&self, events: &mut Vec<Event>) {
        let now = version(&self.path);
        if now.is_some() && now != self.before {
            events.push(Event::Sign(self.sign));
        }
    }
}

fn version(path: &PathBuf) -> Option<Version> {
    let stat = std::fs::metadata(path).ok()?;
    Some((stat.dev(), stat.ino(), stat.mtime(), stat.mtime_nsec(), stat.ctime(), stat.ctime_nsec()))
}

fn watch(path: &std::path::Path) -> Option<OwnedFd> {
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
    let what = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::MODIFY | WatchFlags::ATTRIB | WatchFlags::ONLYDIR;
    inotify::add_watch(&fd, path.parent()?, what).ok()?;
    Some(fd)
}

impl Source for FileSign {
    fn interest(&self, want: &mut Interest) {
        match &self.watch {
            Some(watch) => want.read(watch),
            None => want.within(LOOK),
        }
    }

    fn collect(&mut self, ready: &Interest, _now: Duration, events: &mut Vec<Event>) {
        let told = self.watch.as_ref().is_none_or(|watch| ready.has(watch));
        if !told {
            return;
        }
        let mut buffer = [0; 4096];
        while self.watch.as_ref().is_some_and(|watch| rustix::io::read(watch, &mut buffer).is_ok_and(|n| n > 0)) {}
        self.look(events);
    }

    fn last_look(&mut self, _now: Duration, events: &mut Vec<Event>) {
        self.look(events);
    }
}
