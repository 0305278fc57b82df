//! The lock of a name: whoever starts, stops or restarts a server holds it meanwhile.

use super::clock::since_boot;
use super::dir::{FRESH, LOCK, RECORD, StateDir};
use super::name::check_name;
use super::record::{Outcome, Record, State};
use crate::environment::Environment;
use crate::error::{StartError, exit_code, human};
use crate::verbs::crew::Crew;
use rustix::fs::{FlockOperation, OFlags, flock, renameat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// A name that is ours to start, stop or restart a server under, until this is dropped.
#[derive(Debug)]
pub struct Claim {
    state: StateDir,
    name: String,
    lock: Option<File>,
    record: Option<Record>,
    waited: bool,
    fresh: Option<Fresh>,
}

/// The file of the next record, made in advance.
#[derive(Debug)]
struct Fresh {
    file: File,
    /// What stands in it already, behind room for the line.
    environment: Option<Environment>,
}

/// An environment that is as long as this is written before the outcome is known...
const LONG: usize = 64 << 10;
/// ... behind room for a line of this length.
const LINE: usize = 16 << 10;

impl StateDir {
    /// Takes the lock of a name; waits while another start, stop or restart holds it. A server whose starter was
    /// killed meanwhile is ended, if the kernel has not done so already.
    ///
    /// # Errors
    /// The name is none, or the lock or the record cannot be had.
    pub fn claim(&self, name: &str) -> Result<Claim, StartError> {
        self.claim_within(name, Duration::MAX)
    }

    /// The same, but waits no longer than this.
    ///
    /// # Errors
    /// Also [`StartError::Failed`] with the code 124 if another one holds it for longer.
    pub fn claim_within(&self, name: &str, limit: Duration) -> Result<Claim, StartError> {
        check_name(name)?;
        let since = since_boot();
        let lock = self.lock(name, limit).map_err(|error| self.cannot_lock(name, error))?;
        let Some(lock) = lock else {
            let text =
                format!("another start, stop or restart of {name} has not come to an end within {}", human(limit));
            return Err(StartError::Failed { code: exit_code::TIMED_OUT, message: text });
        };
        let mut claim = self.claimed(name, lock)?;
        claim.waited = claim.record.as_ref().is_some_and(|record| record.decided_at.is_some_and(|at| at >= since));
        Ok(claim)
    }

    pub(super) fn cannot_lock(&self, name: &str, error: io::Error) -> StartError {
        StartError::io(format!("lock the name {name} in {}", self.path().display()), error)
    }

    /// `None`: another one holds it for longer.
    pub(super) fn lock(&self, name: &str, limit: Duration) -> io::Result<Option<File>> {
        let file_name = format!("{name}{LOCK}");
        let since = Instant::now();
        loop {
            let file = self.dir.file(&file_name, OFlags::RDWR | OFlags::CREATE)?;
            let left = if limit == Duration::MAX { limit } else { limit.saturating_sub(since.elapsed()) };
            let Some(file) = wait_for_lock(file, left)? else { return Ok(None) };
            // Its holder may have removed it meanwhile: then another file is the lock now.
            if self.dir.is_at(&file_name, &file) {
                return Ok(Some(file));
            }
        }
    }

    pub(super) fn claimed(&self, name: &str, lock: File) -> Result<Claim, StartError> {
        let failed = |what: &str, source| StartError::io(format!("{what} {name} in {}", self.path().display()), source);
        let record = match self.read_whole(name) {
            // Not ours, or damaged by a full disk or a power cut: it says nothing.
            Err(error) if error.kind() != io::ErrorKind::Unsupported => None,
            read => read.map_err(|error| failed("read the record of", error))?,
        };
        let judged = record.as_ref().map_or(Ok(()), Record::can_be_judged);
        judged.map_err(|error| failed("tell what has become of", error))?;
        let mut claim =
            Claim { state: self.clone(), name: name.into(), lock: Some(lock), record, waited: false, fresh: None };
        claim.settle()?;
        Ok(claim)
    }
}

/// Gives the file back, locked, or `None` when the time is over.
///
/// No system call waits for a lock with a limit. So, if there is one, a thread waits; when that gets the lock after
/// the limit, nobody takes it, and it is free again.
fn wait_for_lock(file: File, limit: Duration) -> io::Result<Option<File>> {
    match lock_now(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        done => return done.map(|()| Some(file)),
    }
    match limit {
        Duration::ZERO => Ok(None),
        Duration::MAX => lock_now(&file, FlockOperation::LockExclusive).map(|()| Some(file)),
        _ => {
            let (sender, receiver) = std::sync::mpsc::channel();
            let wait = move || {
                let locked = lock_now(&file, FlockOperation::LockExclusive).map(|()| file);
                // Nobody is there any more: the file is closed, and so unlocked.
                let _ = sender.send(locked);
            };
            std::thread::Builder::new().name("onready-lock".into()).spawn(wait)?;
            receiver.recv_timeout(limit).map_or(Ok(None), |locked| locked.map(Some))
        }
    }
}

fn lock_now(file: &File, how: FlockOperation) -> io::Result<()> {
    loop {
        match flock(file, how) {
            Err(Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}

/// Whether something of it runs, so that its name is not free.
pub(super) fn is_in_use(state: State) -> bool {
    matches!(state, State::Starting | State::Ready)
}

/// Most records are written by one call.
const ROOM: usize = 16 << 10;

impl Claim {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether an outcome became known while this claim waited for the lock: that one is on record, and whoever was
    /// going to do the same may report it as his own.
    pub fn waited(&self) -> bool {
        self.waited
    }

    /// What is on record.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What the record means now; `None` if nothing is on record.
    pub fn state(&self) -> Option<State> {
        // The lock is ours, so it is no starter's.
        self.record.as_ref().map(|record| record.state(false))
    }

    /// Whether something of it runs: the server, or what a dead one has left.
    pub(super) fn is_in_use(&self) -> bool {
        let left = |record: &Record| !Crew::of(record).left().is_empty();
        match self.state() {
            Some(State::Dead) => self.record.as_ref().is_some_and(left),
            state => state.is_some_and(is_in_use),
        }
    }

    /// Puts a record in the place of the last one, as a whole: readers see this one or the last.
    ///
    /// # Errors
    /// The disk is full, for one.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let mut record = record.clone();
        record.decided_at = (record.outcome != Outcome::Starting).then(since_boot);
        self.put(record)
    }

    /// Makes the file of the next record while there is time, for one with this environment if that is long; what
    /// fails is tried again when it is written.
    pub fn prepare(&mut self, environment: &Environment) {
        let is_long = environment.length() >= LONG;
        let made = self.open_fresh().and_then(|mut fresh| {
            if is_long {
                fresh.file.seek(SeekFrom::Start(LINE as u64))?;
                environment.write_to(&mut fresh.file)?;
                fresh.environment = Some(environment.clone());
            }
            Ok(fresh)
        });
        if made.is_err() {
            self.remove_fresh();
        }
        self.fresh = made.ok();
    }

    fn fresh_name(&self) -> String {
        format!("{}{FRESH}", self.name)
    }

    fn remove_fresh(&self) {
        let _ = self.state.dir.remove(&self.fresh_name());
    }

    fn put(&mut self, mut record: Record) -> io::Result<()> {
        record.name.clone_from(&self.name);
        let (fresh, place) = (self.fresh_name(), format!("{}{RECORD}", self.name));
        let file = self.fresh.take().map_or_else(|| self.open_fresh(), Ok);
        let written = file.and_then(|fresh| fresh.write(&mut record)).and_then(|()| {
            renameat(&self.state, fresh.as_str(), &self.state, place.as_str())?;
            Ok(())
        });
        if written.is_err() {
            self.remove_fresh();
        }
        written?;
        self.record = Some(record);
        Ok(())
    }

    fn open_fresh(&self) -> io::Result<Fresh> {
        let fresh = self.fresh_name();
        let make = || self.state.dir.file(&fresh, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL);
        let made = match make() {
            // One that a killed writer has left: not to be written into, somebody may read it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.state.dir.remove(&fresh)?;
                make()
            }
            made => made,
        };
        Ok(Fresh { file: made?, environment: None })
    }

    /// Removes the record and the lock: nothing is known of the name any more.
    pub fn forget(mut self) {
        (self.record, self.fresh) = (None, None);
        for ending in [FRESH, RECORD] {
            let _ = self.state.dir.remove(&format!("{}{ending}", self.name));
        }
    }

    /// A record that says "starting" under a lock that was free: its starter was killed. The kernel has killed the
    /// server with it, or is about to; we make sure, and write down what happened.
    fn settle(&mut self) -> Result<(), StartError> {
        let Some(record) = self.record.as_ref().filter(|record| record.outcome == Outcome::Starting) else {
            return Ok(());
        };
        let mut record = record.clone();
        Crew::of(&record).end().map_err(|error| StartError::io(format!("end what is left of {}", self.name), error))?;
        record.outcome = Outcome::Interrupted;
        record.code = exit_code::FAILED;
        record.error = Some("whoever started it was killed meanwhile".into());
        // Nobody has decided this: whoever waited for it goes on.
        record.decided_at = None;
        self.put(record).map_err(|error| StartError::io(format!("write the record of {}", self.name), error))
    }
}

impl Fresh {
    fn write(mut self, record: &mut Record) -> io::Result<()> {
        if let Some(written) = &self.environment {
            let mut line = Vec::with_capacity(LINE);
            record.write_line_to(&mut line)?;
            if written.is_same(&record.environment) && line.len() < LINE {
                // Blanks at the end of a line of JSON mean nothing.
                line.resize(LINE - 1, b' ');
                line.push(b'\n');
                return self.file.write_all_at(&line, 0);
            }
            self.file.set_len(0)?;
            self.file.rewind()?;
        }
        let mut file = BufWriter::with_capacity(ROOM, self.file);
        record.write_line_to(&mut file)?;
        file.write_all(b"\n")?;
        record.environment.write_to(&mut file)?;
        file.flush()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.fresh.is_some() {
            self.remove_fresh();
        }
        // Removed while it is locked; who waits for it sees that it is not at its place any more, and opens it anew.
        if self.record.is_none() && self.lock.is_some() {
            let _ = self.state.dir.remove(&format!("{}{LOCK}", self.name));
        }
    }
}
