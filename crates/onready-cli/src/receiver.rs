//! `NOTIFY_SOCKET`, the receiving end: what the server says, if it is the server that says it.
//!
//! A path, because not every sender knows abstract names, in a folder where other users cannot bind; whoever may
//! send is decided by the credentials that the kernel vouches for.
//!
//! # References
//! sd_notify(3), sd_notify_barrier(3), unix(7): SO_PASSCRED

use crate::cli::NotifyAccess;
use crate::notify_folder::{folders, is_abandoned, may_have_owner, names, prepared};
use crate::world::{SharedFamily, SharedWorld};
use onready::engine::tree::Stat;
use onready::engine::{
    CLOSED_ON_EXEC, Event, Field, Interest, LONGEST, NotifySocket, SharedProcess, Source, clock, event,
    nonblocking_socket, parse, tree,
};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, SocketAddrUnix, SocketType, bind, recvmsg,
};
use rustix::process::umask;
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, IoSliceMut};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How many descriptors a message may bring; all are closed, which is what a barrier waits for.
const DESCRIPTORS: usize = 253;

#[cfg(target_os = "linux")]
const SPACE: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS), ScmCredentials(1));
#[cfg(not(target_os = "linux"))]
const SPACE: usize = rustix::cmsg_space!(ScmRights(DESCRIPTORS));

/// Who sent a message that the kernel vouches nothing for: nobody whom we know.
const UNKNOWN_SENDER: (i32, u32) = (0, u32::MAX);

/// Who has said READY=1 may send a barrier right behind it, and fails if nobody is there any more (systemd-notify
/// does). So as long as a process of the server runs, it may be about to; but no longer than this.
const LINGER: Duration = Duration::from_millis(20);
/// How often it is looked at whether one runs.
const LINGER_LOOK: Duration = Duration::from_micros(200);

/// One start in so many looks for sockets of the dead: only a launcher that was killed leaves one.
const TIDIED_EVERY: u32 = 8;

/// The socket.
pub struct Receiver {
    socket: OwnedFd,
    path: Option<PathBuf>,
    address: OsString,
    access: NotifyAccess,
    source: Option<Listeners>,
    journal: Option<Rc<RefCell<Vec<Heard>>>>,
    upwards: Option<NotifySocket>,
    /// A barrier came after READY=1: nothing more is to be waited for.
    has_barrier: bool,
    settling: Option<Instant>,
    buffer: Vec<u8>,
}

/// A message, as it was heard.
pub struct Heard {
    /// When.
    pub at: Duration,
    /// The sender.
    pub pid: i32,
    /// All of it.
    pub text: String,
    /// Whether it was the server's to say.
    pub counts: bool,
}

/// To whom it matters.
struct Listeners {
    world: SharedWorld,
    family: SharedFamily,
    main: SharedProcess,
    uid: Option<u32>,
}

/// One message and its sender.
struct Message {
    length: usize,
    pid: i32,
    uid: u32,
}

impl Receiver {
    /// Binds it, in the folder for it or one of the fallbacks.
    ///
    /// # Errors
    /// None of them can be used.
    pub fn bind(state_dir: &Path, access: NotifyAccess) -> io::Result<Receiver> {
        let socket = nonblocking_socket(AddressFamily::UNIX, SocketType::DGRAM)?;
        pass_credentials(&socket)?;
        let mut receiver = Receiver {
            socket,
            path: None,
            address: OsString::new(),
            access,
            source: None,
            journal: None,
            upwards: None,
            has_barrier: false,
            settling: None,
            buffer: Vec::new(),
        };
        let paths = folders(state_dir).into_iter().filter_map(|folder| prepared(&folder).ok());
        for path in paths.flat_map(|folder| names().map(|name| folder.join(name))) {
            if receiver.bind_path(&path).is_ok() {
                return Ok(receiver);
            }
        }
        receiver.bind_abstract()?;
        Ok(receiver)
    }

    fn bind_path(&mut self, path: &Path) -> io::Result<()> {
        let address = SocketAddrUnix::new(path)?;
        let bind = || {
            // It is born with its mode; there is no other thread to make a file meanwhile.
            let everybody = rustix::process::geteuid().is_root();
            let before = umask(Mode::from_raw_mode(if everybody { 0o111 } else { 0o177 }));
            let bound = bind(&self.socket, &address);
            umask(before);
            bound
        };
        match bind() {
            Err(Errno::ADDRINUSE) if is_abandoned(path) => {
                let _ = std::fs::remove_file(path);
                bind()?;
            }
            bound => bound?,
        }
        self.path = Some(path.into());
        self.address = path.into();
        Ok(())
    }

    /// Rids the folder of sockets whose owner is dead, now and then.
    pub fn tidy(&self) {
        // The nanoseconds are anybody's guess; pids may go in steps of the same length.
        let now = clock(libc::CLOCK_MONOTONIC).unwrap_or_default();
        if now.subsec_nanos() % TIDIED_EVERY != 0 {
            return;
        }
        let folder = self.path.as_deref().and_then(Path::parent);
        let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| Some(path) != self.path.as_ref()) {
            if !may_have_owner(&path) && is_abandoned(&path) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    #[cfg(target_os = "linux")]
    fn bind_abstract(&mut self) -> io::Result<()> {
        let name = format!("onready/{}", std::process::id());
        bind(&self.socket, &SocketAddrUnix::new_abstract_name(name.as_bytes())?)?;
        self.address = format!("@{name}").into();
        Ok(())
    }

    #[cfg(not(target_os = "linux"))]
    fn bind_abstract(&mut self) -> io::Result<()> {
        Err(io::Error::other("no folder for the notify socket can be made"))
    }

    /// What `NOTIFY_SOCKET` is to be for the server.
    pub fn address(&self) -> &OsString {
        &self.address
    }

    /// From now on, messages of these processes are heard.
    pub fn hear(&mut self, world: SharedWorld, family: SharedFamily, main: SharedProcess, uid: Option<u32>) {
        self.source = Some(Listeners { world, family, main, uid });
    }

    /// From now on, what is heard is passed on to our own service manager.
    pub fn pass_upwards(&mut self, manager: Option<NotifySocket>) {
        self.upwards = manager;
    }

    /// All but what is true of us and not of the server: we are the main process, and its descriptors are not here.
    fn pass(&self, message: &[u8]) {
        let Some(manager) = &self.upwards else { return };
        let text = String::from_utf8_lossy(message);
        let ours = ["MAINPID=", "MAINPIDFDID=", "BARRIER=", "FDSTORE=", "FDNAME=", "NOTIFYACCESS="];
        let kept: Vec<&str> = text.lines().filter(|line| !ours.iter().any(|key| line.starts_with(key))).collect();
        if !kept.is_empty() {
            let _ = manager.send(&kept.join("\n"));
        }
    }

    fn receive(&mut self) -> io::Result<Option<Message>> {
        let mut space = vec![std::mem::MaybeUninit::uninit(); SPACE];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        // Made when there is something to hear.
        self.buffer.resize(LONGEST + 1, 0);
        let mut slices = [IoSliceMut::new(&mut self.buffer)];
        let message = match recvmsg(&self.socket, &mut slices, &mut control, CLOSED_ON_EXEC) {
            Ok(message) => message,
            Err(rustix::io::Errno::AGAIN) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        #[cfg_attr(not(target_os = "linux"), allow(unused_mut))]
        let mut sender = UNKNOWN_SENDER;
        for part in control.drain() {
            match part {
                #[cfg(target_os = "linux")]
                RecvAncillaryMessage::ScmCredentials(known) => {
                    sender = (known.pid.as_raw_nonzero().get(), known.uid.as_raw());
                }
                // Closed by being dropped: a barrier waits for it, whoever sent it.
                RecvAncillaryMessage::ScmRights(descriptors) => descriptors.for_each(drop),
                _ => {}
            }
        }
        let (pid, uid) = sender;
        Ok(Some(Message { length: message.bytes, pid, uid }))
    }

    /// Whether a message of this sender counts.
    fn is_allowed(&self, message: &Message) -> bool {
        let Some(heard) = &self.source else { return false };
        let main = heard.main.borrow().pid();
        // Without the kernel's word for the sender, who may write to the socket is the folder's mode to decide.
        if message.pid == main || !cfg!(target_os = "linux") {
            return true;
        }
        if self.access == NotifyAccess::Main {
            return false;
        }
        if heard.family.borrow().members().contains(&message.pid) {
            return true;
        }
        if let Some(sender) = tree::stat(message.pid) {
            return is_of(sender, main);
        }
        // Dead already, as systemd-notify is: the kernel vouches for the user it ran as, and that must do.
        let own = rustix::process::geteuid().as_raw();
        message.uid == own || heard.uid == Some(message.uid)
    }

    /// From now on, all that is heard is written down here as well.
    pub fn keep_journal(&mut self) -> Rc<RefCell<Vec<Heard>>> {
        Rc::clone(self.journal.get_or_insert_default())
    }

    fn write_down(&self, message: &Message, at: Duration, counts: bool) {
        let Some(journal) = &self.journal else { return };
        let text = String::from_utf8_lossy(&self.buffer[..message.length.min(LONGEST)]).into_owned();
        if !text.starts_with("BARRIER=1") {
            journal.borrow_mut().push(Heard { at, pid: message.pid, text, counts });
        }
    }

    fn take(&mut self, message: &Message, events: &mut Vec<Event>) {
        self.pass(&self.buffer[..message.length]);
        let Some(heard) = &self.source else { return };
        let mut world = heard.world.borrow_mut();
        for field in parse(&self.buffer[..message.length]) {
            match field {
                Field::Barrier => self.has_barrier = world.said_ready,
                Field::Ready => {
                    world.said_ready = true;
                    world.ready_from = Some(message.pid);
                    world.has_spoken = true;
                }
                Field::Status(_) | Field::Reloading | Field::ExtendTimeout(_) => world.has_spoken = true,
                Field::MainPid(pid) => events.extend(self.main_pid(pid)),
                _ => {}
            }
            // The sign is the conditions' to give: READY=1 alone means nothing to `listen`.
            events.extend(event(field).filter(|event| !matches!(event, Event::Sign(_))));
        }
    }

    fn may_be_sending(&self) -> bool {
        let Some(heard) = &self.source else { return false };
        let said = heard.world.borrow().said_ready && !self.has_barrier;
        let runs = |pid: &i32| tree::stat(*pid).is_some_and(|stat| stat.state == b'R');
        said && heard.family.borrow().members().iter().any(runs)
    }

    /// MAINPID counts if it is one of the server's.
    fn main_pid(&self, pid: i32) -> Option<Event> {
        let heard = self.source.as_ref()?;
        let known = heard.main.borrow().pid() == pid;
        if !known && heard.family.borrow().members().contains(&pid) {
            crate::leader::follow(&heard.main, pid);
        }
        None
    }
}

/// A zombie has no descendants any more, but its own parents are still told.
fn is_of(sender: Stat, main: i32) -> bool {
    let mut at = sender;
    for _ in 0..64 {
        if at.pid == main || at.ppid == main {
            return true;
        }
        match tree::stat(at.ppid).filter(|_| at.ppid > 1) {
            Some(parent) => at = parent,
            None => return false,
        }
    }
    false
}

#[cfg(target_os = "linux")]
fn pass_credentials(socket: &OwnedFd) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_socket_passcred(socket, true)?)
}

#[cfg(not(target_os = "linux"))]
fn pass_credentials(_socket: &OwnedFd) -> io::Result<()> {
    Ok(())
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Source for Receiver {
    fn interest(&self, want: &mut Interest) {
        want.read(&self.socket);
        if self.settling.is_some() {
            want.within(LINGER_LOOK);
        }
    }

    fn settle(&mut self) {
        self.settling = Some(Instant::now());
    }

    fn is_settled(&self) -> bool {
        self.settling.is_some_and(|since| since.elapsed() >= LINGER || !self.may_be_sending())
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        // Also unasked while the server is seen to end, so that its last word is heard before its end is judged.
        if !ready.has(&self.socket) && events.is_empty() {
            return;
        }
        // Bounded: a server that never stops talking must not keep us from listening to others.
        for _ in 0..64 {
            match self.receive() {
                Ok(Some(message)) => {
                    let counts = self.is_allowed(&message);
                    self.write_down(&message, now, counts);
                    if counts {
                        self.take(&message, events);
                    }
                }
                Ok(None) | Err(_) => return,
            }
        }
    }
}
