//! What is seen of the server from outside: its processes, where they listen, whether they do anything; looked at
//! often while that can pay, and hardly ever when it cannot.

use crate::sockets::{Address, Observer, Owned, foresee, speaks_notify};
use onready::engine::tree::{self, Activity, Quiet, Stat};
use onready::engine::{Event, Family, Interest, Source, clock};
use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The shortest time between two looks, while most servers come up...
const SOONEST: Duration = Duration::from_micros(100);
/// ... and from a few milliseconds on.
const SOON: Duration = Duration::from_micros(200);
/// In between, a look comes after this part of the time that has passed.
const EARLY_PART: u32 = 32;
/// A look comes after this part of the time that has passed: who waited a second can wait 4 ms more.
const PART: u32 = 256;
/// What it costs to wake up for a look, besides the look.
const WAKING: Duration = Duration::from_micros(50);
/// Processor time that looking may take at once...
const CREDIT: Duration = Duration::from_millis(14);
/// ... and as a part of the time that passes.
const SHARE: u32 = 4000;
/// Dear as a look may be, one comes after this part of the time that has passed: who waited a second need not wait much
/// more, on a busy machine either...
const LATEST: u32 = 50;
/// ... and after this part once that has been longer than a second.
const LATEST_LATER: u32 = 24;

/// When to look next: by the time that has passed, and by what looking has cost.
#[derive(Debug, Default)]
pub struct Pace {
    spent: Duration,
    next: Duration,
}

impl Pace {
    /// Whether it is time.
    pub fn is_due(&self, now: Duration) -> bool {
        now >= self.next
    }

    /// How long until it is.
    pub fn left(&self, now: Duration) -> Duration {
        self.next.saturating_sub(now)
    }

    /// A look has taken this long.
    pub fn looked(&mut self, now: Duration, cost: Duration) {
        self.spent += cost + WAKING;
        let earned = |at: Duration| CREDIT + at / SHARE;
        let usual = now + (now / EARLY_PART).clamp(SOONEST, SOON).max(now / PART);
        // In debt: not before what was spent is earned, unless that is far away.
        let affordable = (self.spent.saturating_sub(CREDIT) * SHARE).min(now + now / latest(now));
        self.next = if self.spent > earned(now) { usual.max(affordable) } else { usual };
    }
}

fn latest(now: Duration) -> u32 {
    if now < Duration::from_secs(1) { LATEST } else { LATEST_LATER }
}

/// The server as it is seen; shared by all conditions.
pub struct World {
    find: Box<dyn Fn() -> Vec<i32>>,
    observer: Observer,
    activity: Activity,
    quiet: Quiet,
    pace: Pace,
    members: Vec<i32>,
    listening: Vec<Owned>,
    speaks: bool,
    /// Files of the command that may speak for it: a script.
    scripts: Vec<PathBuf>,
    /// Whether anybody wants to know; without, no look is taken.
    pub wanted: bool,
    /// READY=1 has come.
    pub said_ready: bool,
    /// From this process.
    pub ready_from: Option<i32>,
    /// Any message has come that only a speaker of sd_notify sends.
    pub has_spoken: bool,
    started: Instant,
}

/// Whether what is seen of the server will last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    /// It does what it is there for.
    Settled,
    /// Who listens is busy: it may yet fork and exit.
    Restless,
    /// The server is in a session of its own already, and the command is about to exit.
    Passing,
}

/// The world of one start.
pub type SharedWorld = Rc<RefCell<World>>;
/// The server's processes, watched and stopped.
pub type SharedFamily = Rc<RefCell<Family>>;

impl World {
    /// The world of the processes that are found this way; `scripts` are files that the command names.
    pub fn new(find: Box<dyn Fn() -> Vec<i32>>, scripts: Vec<PathBuf>, started: Instant) -> World {
        World {
            find,
            observer: Observer::new(),
            activity: Activity::new(),
            quiet: Quiet::new(),
            pace: Pace::default(),
            members: Vec::new(),
            listening: Vec::new(),
            speaks: false,
            scripts,
            wanted: false,
            said_ready: false,
            ready_from: None,
            has_spoken: false,
            started,
        }
    }

    /// The server is on its way: what the first look needs is made ready, and the program searched if it is to be known
    /// whether it could speak.
    pub fn foresee(&mut self, program: Option<&std::path::Path>) {
        if self.wanted {
            self.observer.prepare();
            program.into_iter().for_each(foresee);
        }
    }

    /// A socket that listened before the start says nothing.
    pub fn ignore_socket(&mut self, inode: u64) {
        self.observer.ignore(inode);
    }

    /// Where the server's processes listen, as of the last look.
    pub fn listening(&self) -> &[Owned] {
        &self.listening
    }

    /// The same as text, each once.
    pub fn addresses(&self) -> Vec<String> {
        let mut all: Vec<String> = self.listening.iter().map(|owned| owned.address.to_string()).collect();
        all.dedup();
        all
    }

    /// Whether its sockets cannot be seen (another user's process, no /proc).
    pub fn is_blind(&self) -> bool {
        self.observer.is_blind()
    }

    /// Its processes, as of the last look.
    pub fn members(&self) -> &[i32] {
        &self.members
    }

    /// Looks now, whatever it costs.
    pub fn look(&mut self) {
        self.members = (self.find)();
        self.listening = self.observer.listening(&self.members);
    }

    /// Whether any of its processes could speak sd_notify. Once one could, its heirs can: asked while a process executes
    /// another program or ends, the same question finds nothing.
    pub fn could_speak(&mut self) -> bool {
        let scripts: Vec<&std::path::Path> = self.scripts.iter().map(PathBuf::as_path).collect();
        self.speaks = self.speaks || self.members.iter().any(|&pid| speaks_notify(pid, &scripts));
        self.speaks
    }

    /// Whether those who give the signs are those who will stay.
    ///
    /// A command that puts itself into the background listens before it forks (nginx), or has a child that listens, or
    /// says READY=1, before it exits itself (lighttpd, sshd, pg_ctl, caddy start).
    pub fn stay(&mut self) -> Stay {
        if !self.main().is_some_and(|main| main.is_alive()) {
            self.look();
        }
        let Some(main) = self.main().filter(Stat::is_alive) else {
            return if tree::stat(std::process::id() as i32).is_some() { Stay::Passing } else { Stay::Settled };
        };
        let rests = |process: &Stat| process.state == b'S';
        if self.said_ready {
            return match self.ready_from.filter(|&pid| pid != main.pid).and_then(tree::stat) {
                Some(sender) if self.is_another_server(&sender, &main) => Stay::Passing,
                Some(_) if !rests(&main) => Stay::Restless,
                _ => Stay::Settled,
            };
        }
        let holders: Vec<Stat> = self.observer.holders().into_iter().filter_map(tree::stat).collect();
        if holders.iter().any(|holder| holder.session != main.session) {
            return Stay::Passing;
        }
        if holders.iter().all(rests) && rests(&main) { Stay::Settled } else { Stay::Restless }
    }

    /// Whether who said READY=1 is a server beside the main process, and not a messenger (systemd-notify).
    fn is_another_server(&mut self, sender: &Stat, main: &Stat) -> bool {
        self.look();
        sender.session != main.session || self.observer.holders().contains(&sender.pid)
    }

    /// The main process comes first among the members, if it lives.
    fn main(&self) -> Option<Stat> {
        self.members.first().and_then(|&pid| tree::stat(pid))
    }

    /// For how long its processes have done nothing to speak of.
    pub fn quiet_for(&mut self) -> Duration {
        self.quiet.look(&self.members, Instant::now()).unwrap_or_default()
    }

    /// It has written something.
    pub fn disturbed(&mut self) {
        self.quiet.disturb();
        self.pace.next = Duration::ZERO;
    }

    fn look_if_active(&mut self) {
        let idle = !self.members.is_empty() && !self.activity.changed(&self.members);
        if !idle {
            self.look();
        }
    }
}

/// It is looked at before the conditions are asked.
impl Source for World {
    fn interest(&self, want: &mut Interest) {
        if self.wanted {
            want.within(self.pace.left(self.started.elapsed()));
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, _events: &mut Vec<Event>) {
        if self.wanted && self.pace.is_due(now) {
            let before = processor_time();
            self.look_if_active();
            self.pace.looked(now, processor_time().saturating_sub(before));
        }
    }

    fn last_look(&mut self, _now: Duration, _events: &mut Vec<Event>) {
        self.look();
    }

    /// What it listened on when it was ready is known.
    fn settle(&mut self) {
        self.wanted = false;
    }
}

/// What this thread has used: on a busy machine a look takes longer, but costs no more.
fn processor_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default()
}

/// Whether a listener takes connections to this port and, if given, this address.
pub fn takes(listener: &Address, host: Option<std::net::IpAddr>, port: u16) -> bool {
    let Address::Tcp(theirs) = listener else { return false };
    let anywhere = theirs.ip().is_unspecified() && (theirs.is_ipv6() || host.is_none_or(|host| host.is_ipv4()));
    theirs.port() == port && (anywhere || host.is_none_or(|host| host == theirs.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_is_dense_at_first_and_cheap_in_the_end() {
        let (mut pace, mut now, mut looks) = (Pace::default(), Duration::ZERO, 0);
        let cost = Duration::from_micros(60);
        while now < Duration::from_secs(30) {
            pace.looked(now, cost);
            looks += 1;
            if now < Duration::from_millis(20) {
                assert!(pace.left(now) <= SOON);
            }
            now += pace.left(now);
        }
        assert!((cost + WAKING) * looks < Duration::from_millis(45), "{looks} looks");
    }

    #[test]
    fn a_dear_look_is_late_by_a_small_part() {
        let (mut pace, mut now) = (Pace::default(), Duration::ZERO);
        while now < Duration::from_secs(30) {
            pace.looked(now, Duration::from_millis(1));
            assert!(pace.left(now) <= SOON.max(now / latest(now)), "{now:?}");
            now += pace.left(now);
        }
    }

    #[test]
    fn a_wildcard_takes_its_family() {
        let tcp = |text: &str| Address::Tcp(text.parse().expect("an address"));
        let host = |text: &str| Some(text.parse().expect("a host"));
        assert!(takes(&tcp("0.0.0.0:80"), host("127.0.0.1"), 80));
        assert!(takes(&tcp("[::]:80"), host("127.0.0.1"), 80));
        assert!(!takes(&tcp("0.0.0.0:80"), host("::1"), 80));
        assert!(!takes(&tcp("127.0.0.1:80"), host("127.0.0.2"), 80));
        assert!(!takes(&tcp("127.0.0.1:80"), None, 81));
    }
}
