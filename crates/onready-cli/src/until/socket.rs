//! `tcp:` and `unix:`: a process *of the server* listens there, and accepts. A stranger never counts.

use super::dial::{self, Dial};
use crate::sockets::{Address, Owner, owner_of};
use crate::world::{SharedWorld, takes};
use onready::engine::{Event, Interest, Source, accounts};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often it is looked whether a stranger has come to listen there: that reads much of /proc.
const STRANGER_LOOK: Duration = Duration::from_millis(100);
/// How long after a refused connection the next is tried, if the listener was seen.
const PAUSE: Duration = Duration::from_millis(2);
/// The same, if only the connection can tell.
const BLIND_PAUSE: Duration = Duration::from_millis(20);
/// How long one connection may take: a host that is down does not answer at all.
const LIMIT: Duration = Duration::from_secs(5);

/// Where a listener is awaited.
#[derive(Clone, Debug)]
pub enum Endpoint {
    /// On one of these addresses.
    Tcp(Vec<SocketAddr>),
    /// On this port of any address.
    Port(u16),
    /// On this path.
    Unix(PathBuf),
}

impl Endpoint {
    /// Of a host, or of any address if it is empty.
    ///
    /// # Errors
    /// There is no such host.
    pub fn tcp(host: &str, port: u16) -> Result<Endpoint, String> {
        if host.is_empty() {
            return Ok(Endpoint::Port(port));
        }
        let found = accounts::host(host, port).map_err(|error| format!("there is no host {host}: {error}"))?;
        Ok(Endpoint::Tcp(found))
    }

    /// Of a path, seen from this directory.
    ///
    /// # Errors
    /// It is too long for a socket address.
    pub fn unix(path: &std::path::Path, here: &std::path::Path) -> Result<Endpoint, String> {
        let path = here.join(path);
        rustix::net::SocketAddrUnix::new(&path)
            .map_err(|_| format!("the path {} is too long for a unix socket (107 bytes)", path.display()))?;
        Ok(Endpoint::Unix(path))
    }

    /// How it is spelled.
    pub fn name(&self) -> String {
        match self {
            Endpoint::Tcp(addresses) => addresses.first().map(ToString::to_string).unwrap_or_default(),
            Endpoint::Port(port) => format!("port {port}"),
            Endpoint::Unix(path) => path.display().to_string(),
        }
    }

    /// The addresses that somebody else could hold.
    fn addresses(&self) -> Vec<Address> {
        match self {
            Endpoint::Tcp(all) => all.iter().map(|&address| Address::Tcp(address)).collect(),
            Endpoint::Port(port) => {
                let all =
                    [SocketAddr::from(([127, 0, 0, 1], *port)), SocketAddr::from(([0u16, 0, 0, 0, 0, 0, 0, 1], *port))];
                all.map(Address::Tcp).into()
            }
            Endpoint::Unix(path) => vec![Address::Unix(path.clone())],
        }
    }

    /// Who listens there now.
    pub fn owner(&self) -> Option<(Address, Owner)> {
        self.addresses().into_iter().find_map(|address| owner_of(&address).map(|owner| (address, owner)))
    }

    /// Whether a listener is one for this.
    pub fn is_served_by(&self, listener: &Address) -> bool {
        match self {
            Endpoint::Tcp(all) => all.iter().any(|address| takes(listener, Some(address.ip()), address.port())),
            Endpoint::Port(port) => takes(listener, None, *port),
            Endpoint::Unix(path) => matches!(listener, Address::Unix(theirs) if same_file(theirs, path)),
        }
    }

    /// Begins a connection to a listener that was seen, or else to one of the addresses, each in its turn.
    pub fn dial(&self, listener: Option<&Address>, turn: usize) -> std::io::Result<Dial> {
        let reaches = |address: &&Address| match (listener, address) {
            (Some(listener), Address::Tcp(address)) => takes(listener, Some(address.ip()), address.port()),
            _ => true,
        };
        let all = self.addresses();
        let fitting: Vec<&Address> = all.iter().filter(reaches).collect();
        match (fitting.get(turn % fitting.len().max(1)), listener) {
            (Some(Address::Tcp(address)), _) | (None, Some(Address::Tcp(address))) => dial::tcp(*address),
            (Some(Address::Unix(path)), _) => dial::unix(path),
            _ => Ok(Dial::Refused),
        }
    }
}

fn same_file(a: &std::path::Path, b: &std::path::Path) -> bool {
    let id = |path: &std::path::Path| {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).ok().map(|stat| (stat.dev(), stat.ino()))
    };
    a == b || (id(a).is_some() && id(a) == id(b))
}

/// What to say of a stranger.
pub fn in_the_way(address: &Address, owner: &Owner) -> String {
    let who = match (&owner.name, owner.pid) {
        (Some(name), Some(pid)) => format!("{name} (pid {pid})"),
        (None, Some(pid)) => format!("pid {pid}"),
        _ => "a process of another user".into(),
    };
    format!("{address} is served by {who} already; stop that, or choose another address")
}

/// Whose listener is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// That of a server which is about to be started: nobody may listen there yet.
    Starting,
    /// That of a server which runs.
    Running,
    /// Whoever answers.
    Anybody,
}

/// Watches one endpoint: owned by the server, and by nobody else.
pub struct Ownership {
    /// Where.
    pub endpoint: Endpoint,
    world: SharedWorld,
    whose: Whose,
    stranger_look: Instant,
    turn: usize,
}

impl Ownership {
    /// Before a start, nobody may listen there yet.
    ///
    /// # Errors
    /// Somebody does.
    pub fn new(endpoint: Endpoint, world: SharedWorld, whose: Whose) -> Result<Ownership, String> {
        if let (Whose::Starting, Some((address, owner))) = (whose, endpoint.owner()) {
            return Err(in_the_way(&address, &owner));
        }
        world.borrow_mut().wanted |= whose != Whose::Anybody;
        Ok(Ownership { endpoint, world, whose, stranger_look: Instant::now(), turn: 0 })
    }

    /// A listener of the server's, or `Ok(None)`; an error if a stranger has come.
    pub fn listener(&mut self) -> Result<Option<Address>, String> {
        let found = {
            let world = self.world.borrow();
            let found = world.listening().iter().find(|owned| self.endpoint.is_served_by(&owned.address));
            found.map(|owned| owned.address.clone())
        };
        if found.is_none() && self.stranger_look.elapsed() >= STRANGER_LOOK {
            self.stranger_look = Instant::now();
            self.look_for_stranger()?;
        }
        Ok(found)
    }

    fn look_for_stranger(&self) -> Result<(), String> {
        let Some((address, owner)) = self.endpoint.owner() else { return Ok(()) };
        let mut world = self.world.borrow_mut();
        // It may have begun to listen since the last look.
        world.look();
        let ours = world.listening().iter().any(|owned| owned.inode == owner.inode)
            || owner.pid.is_some_and(|pid| world.members().contains(&pid))
            || (owner.pid.is_none() && world.is_blind());
        if ours { Ok(()) } else { Err(in_the_way(&address, &owner)) }
    }

    /// Begins a connection, if one may be tried: the server listens there, or nobody can see whether it does.
    pub fn may_dial(&mut self) -> Result<Option<Dial>, String> {
        let mut listener = None;
        if self.whose != Whose::Anybody {
            listener = self.listener()?;
            let blind = self.world.borrow().is_blind();
            if listener.is_none() && !blind {
                return Ok(None);
            }
            if listener.is_none() {
                // Not seen to be the server's; at least it must not be seen to be another's.
                self.look_for_stranger()?;
            }
        }
        self.turn = self.turn.wrapping_add(1);
        let dial = self.endpoint.dial(listener.as_ref(), self.turn - 1);
        dial.map(Some).map_err(|error| format!("cannot connect to {}: {error}", self.endpoint.name()))
    }

    /// How long after a refused connection the next is tried.
    pub fn pause(&self) -> Duration {
        let seen = self.whose != Whose::Anybody && !self.world.borrow().is_blind();
        if seen { PAUSE } else { BLIND_PAUSE }
    }
}

/// The condition.
pub struct SocketSign {
    sign: usize,
    ownership: Ownership,
    trial: Option<Dial>,
    since: Duration,
    again: Duration,
    now: Duration,
    given: bool,
}

impl SocketSign {
    /// Of this endpoint.
    ///
    /// # Errors
    /// Somebody else listens there.
    pub fn new(sign: usize, endpoint: Endpoint, world: SharedWorld, whose: Whose) -> Result<SocketSign, String> {
        let ownership = Ownership::new(endpoint, world, whose)?;
        let zero = Duration::ZERO;
        Ok(SocketSign { sign, ownership, trial: None, since: zero, again: zero, now: zero, given: false })
    }

    fn advance(&mut self) -> Result<bool, String> {
        if self.trial.is_none() && self.now >= self.again {
            self.trial = self.ownership.may_dial()?;
            self.since = self.now;
        }
        self.trial = self.trial.take().map(Dial::advance);
        let late = self.now.saturating_sub(self.since) > LIMIT;
        match &self.trial {
            Some(Dial::Open(_)) => return Ok(true),
            Some(Dial::Pending(_)) if !late => {}
            None => {}
            _ => {
                self.trial = None;
                self.again = self.now + self.ownership.pause();
            }
        }
        Ok(false)
    }
}

impl Source for SocketSign {
    fn interest(&self, want: &mut Interest) {
        match &self.trial {
            _ if self.given => {}
            Some(Dial::Pending(socket)) => {
                want.write(socket);
                want.within(LIMIT);
            }
            _ if self.again > self.now => want.within(self.again - self.now),
            _ => want.within(STRANGER_LOOK),
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.now = now;
        if self.given {
            return;
        }
        match self.advance() {
            Ok(true) => {
                self.given = true;
                self.trial = None;
                events.push(Event::Sign(self.sign));
            }
            Ok(false) => {}
            Err(why) => events.push(Event::Failed(why)),
        }
    }

    fn last_look(&mut self, now: Duration, events: &mut Vec<Event>) {
        self.again = Duration::ZERO;
        self.collect(&Interest::default(), now, events);
    }
}
