//! A real terminal: a command as a session leader with a controlling terminal of its own.

use crate::Setup;
use crate::process::{open_pid, signed};
use crate::wait::{poll_until, readable};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A command on a terminal of 80 by 24. Dropping it hangs up and kills the command (not what it has
/// started: that is the [`Sandbox`](crate::Sandbox)'s business).
#[derive(Debug)]
pub struct Pty {
    main: Option<File>,
    child: Child,
    pidfd: OwnedFd,
    screen: Vec<u8>,
    path: PathBuf,
    status: Option<ExitStatus>,
}

impl Pty {
    /// Starts a command, which should come from a sandbox, on a new terminal.
    ///
    /// # Panics
    ///
    /// When there is no terminal, or the command cannot be started.
    #[must_use]
    #[track_caller]
    pub fn spawn(command: Command) -> Self {
        let (main, path) = open_terminal().expect("open a terminal");
        let mut command = Setup::new().terminal().wrap(command);
        // Without NOCTTY the test itself could acquire the terminal.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let side = || Stdio::from(open(&path, flags, Mode::empty()).expect("open the other side"));
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.spawn().expect("start the command on a terminal");
        let pidfd = open_pid(signed(child.id())).expect("pidfd of our own child");
        Self { main: Some(File::from(main)), child, pidfd, screen: Vec::new(), path, status: None }
    }

    /// The pid of the command, which is also its session.
    #[must_use]
    pub fn pid(&self) -> i32 {
        signed(self.child.id())
    }

    /// The terminal's path, such as `/dev/pts/3`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that has been read from the terminal so far, bytes as they came.
    #[must_use]
    pub fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen).into_owned()
    }

    /// Reads what is there at most until the deadline; false at the deadline or when the last process
    /// has closed the terminal.
    fn pump(&mut self, deadline: Instant) -> bool {
        let Some(main) = &mut self.main else {
            return false;
        };
        if !readable(main.as_fd(), deadline).expect("poll a terminal") {
            return false;
        }
        let mut buffer = [0; 4096];
        // EIO is how a terminal says that nobody has it open any more.
        let count = main.read(&mut buffer).unwrap_or(0);
        self.screen.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// Reads until a text is on the screen, and returns everything so far.
    ///
    /// # Panics
    ///
    /// When it does not come in time.
    #[track_caller]
    pub fn read_until(&mut self, text: &str, limit: Duration) -> String {
        self.read_until_after(0, text, limit)
    }

    /// Reads until a text is on the screen after the first `from` bytes (see [`seen`](Self::seen)).
    ///
    /// # Panics
    ///
    /// When it does not come in time.
    #[track_caller]
    pub fn read_until_after(&mut self, from: usize, text: &str, limit: Duration) -> String {
        let deadline = Instant::now() + limit;
        loop {
            let new = String::from_utf8_lossy(&self.screen[from.min(self.screen.len())..]);
            if new.contains(text) {
                return self.screen();
            }
            if !self.pump(deadline) {
                panic!("no {text:?} on the terminal within {limit:?}: {:?}", self.screen());
            }
        }
    }

    /// How many bytes have been read.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.screen.len()
    }

    /// Reads everything that comes within a time.
    pub fn read_for(&mut self, time: Duration) -> String {
        let deadline = Instant::now() + time;
        while self.pump(deadline) {}
        self.screen()
    }

    /// Types: `\x03` is Ctrl-C, `\x1a` Ctrl-Z, `\x04` the end of the input.
    ///
    /// # Panics
    ///
    /// When the terminal is closed.
    #[track_caller]
    pub fn type_bytes(&mut self, bytes: impl AsRef<[u8]>) {
        let main = self.main.as_mut().expect("the terminal is open");
        main.write_all(bytes.as_ref()).expect("type on the terminal");
    }

    /// Closes the terminal: the kernel sends SIGHUP to the session leader and the foreground group.
    pub fn hang_up(&mut self) {
        self.main = None;
    }

    /// Waits for the command's end, reading the terminal meanwhile; `None` if it still runs.
    ///
    /// # Panics
    ///
    /// When it cannot be waited for.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        let mut listening = true;
        while self.status.is_none() {
            let mut fds = vec![PollFd::new(&self.pidfd, PollFlags::IN)];
            let main = self.main.as_ref().filter(|_| listening);
            fds.extend(main.map(|main| PollFd::new(main, PollFlags::IN)));
            if !poll_until(&mut fds, deadline).expect("poll a terminal") {
                return None;
            }
            if fds[0].revents().is_empty() {
                // A terminal that nobody has open any more stays readable: look away.
                listening = self.pump(Instant::now());
                continue;
            }
            self.status = Some(self.child.wait().expect("wait for our own child"));
            // What it wrote last is still in the terminal.
            while self.pump(Instant::now()) {}
        }
        self.status
    }

    /// Waits for the end and returns the exit code, or 128 and the signal, as a shell would.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    #[track_caller]
    pub fn wait_code(&mut self, limit: Duration) -> i32 {
        let Some(status) = self.wait(limit) else {
            panic!("it still runs after {limit:?}: {:?}", self.screen());
        };
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}

fn open_terminal() -> std::io::Result<(OwnedFd, PathBuf)> {
    let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&main)?;
    unlockpt(&main)?;
    let path = ptsname(&main, Vec::new())?;
    let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&main, size)?;
    let path = PathBuf::from(path.to_string_lossy().into_owned());
    Ok((main, path))
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.main = None;
        if self.status.is_none() {
            // It may have ended by the hang-up.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
