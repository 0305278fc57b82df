//! The server's main process as a source, and what becomes of the server when a command puts itself into the
//! background: the process that stays is the server then.

use crate::world::SharedFamily;
use onready::engine::{End, Event, Interest, Process, SharedProcess, Source, Switch, Target, tree};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// How many groups of one server are guarded; each takes two descriptors.
const MOST_GROUPS: usize = 64;

/// What is known of the way into the background.
#[derive(Default)]
pub struct Passage {
    /// The command exited 0 and left processes: they are the server.
    pub gone_to_background: Cell<bool>,
    /// It did, but nothing asked for that to be followed.
    pub not_followed: Cell<bool>,
    /// The command's own group, which is ended with us as it is.
    group: i32,
    /// Ends the processes that left it, if we are killed.
    switches: RefCell<Vec<(i32, Switch)>>,
}

impl Passage {
    /// Of a command in this group.
    pub fn of(group: i32) -> Passage {
        Passage { group, ..Passage::default() }
    }

    /// The server may outlive us.
    pub fn disarm(&self) {
        self.switches.borrow().iter().for_each(|(_, switch)| switch.disarm());
    }
}

/// The main process, watched.
pub struct Leader {
    main: SharedProcess,
    family: SharedFamily,
    passage: Rc<Passage>,
    follows: bool,
    /// The number of the `exit` sign, if it is asked for.
    sign: Option<usize>,
    /// When the process came to be the main one that gives this sign, once it is seen to stay.
    heir_since: Option<Duration>,
    over: bool,
}

/// Old daemons fork twice, and the process between does nothing but exit: who is the server is at rest sooner or later,
/// and believed to be it after this time.
const RESTLESS: Duration = Duration::from_millis(50);
/// How often it is looked at whether it is.
const GLANCE: Duration = Duration::from_micros(200);

impl Leader {
    /// Of this family; with `follows`, an exit with 0 that leaves processes is no end.
    pub fn new(
        main: SharedProcess,
        family: SharedFamily,
        passage: Rc<Passage>,
        follows: bool,
        sign: Option<usize>,
    ) -> Leader {
        Leader { main, family, passage, follows, sign, heir_since: None, over: false }
    }

    fn ended(&mut self, end: End, now: Duration, events: &mut Vec<Event>) {
        let heirs = if self.is_passage(end) { self.family.borrow().members() } else { Vec::new() };
        match heir(&heirs) {
            Some(pid) if self.follows => {
                self.passage.gone_to_background.set(true);
                guard(&heirs, &self.passage);
                follow(&self.main, pid);
                self.heir_since = self.sign.map(|_| now);
            }
            heir => {
                self.passage.not_followed.set(heir.is_some());
                self.over = true;
                self.heir_since = None;
                events.push(Event::Exited(end));
            }
        }
    }

    /// Whether the process that came to be the main one stays, as far as that can be seen.
    fn stays(&self, since: Duration, now: Duration) -> bool {
        let stat = tree::stat(self.main.borrow().pid()).filter(tree::Stat::is_alive);
        stat.is_some_and(|stat| stat.state == b'S' || now.saturating_sub(since) >= RESTLESS)
    }

    /// Once in the background, the server is whatever remains, however the last of it to be followed has ended.
    fn is_passage(&self, end: End) -> bool {
        end == End::Code(0) || (self.passage.gone_to_background.get() && end == End::Unknown)
    }
}

/// Which of the processes that stay is the server: the oldest, whose parent is gone.
fn heir(members: &[i32]) -> Option<i32> {
    let own = std::process::id() as i32;
    let age = |pid: &i32| tree::stat(*pid).map_or((true, u64::MAX), |stat| (stat.ppid != own, stat.start_time));
    members.iter().copied().min_by_key(age)
}

/// Whoever is in a session of its own is out of reach of the first switch: each group gets one, once.
pub fn guard(members: &[i32], passage: &Passage) {
    let mut switches = passage.switches.borrow_mut();
    let mut groups: Vec<i32> = members.iter().filter_map(|&pid| tree::stat(pid)).map(|stat| stat.pgrp).collect();
    groups.sort_unstable();
    groups.dedup();
    groups.retain(|group| *group != passage.group && !switches.iter().any(|(known, _)| known == group));
    // A server that makes groups without end has more to fear than us.
    groups.truncate(MOST_GROUPS.saturating_sub(switches.len()));
    let armed = |group: i32| Switch::armed_for(Target::Group(group)).ok().map(|switch| (group, switch));
    switches.extend(groups.into_iter().filter_map(armed));
}

/// From now on this process is the main one.
pub fn follow(main: &SharedProcess, pid: i32) {
    main.replace(Process::child(pid));
}

impl Source for Leader {
    fn interest(&self, want: &mut Interest) {
        if !self.over {
            self.main.interest(want);
        }
        if self.heir_since.is_some() {
            want.within(GLANCE);
        }
    }

    fn collect(&mut self, ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        let mut found = Vec::new();
        if !self.over {
            self.main.collect(ready, now, &mut found);
        }
        for event in found {
            match event {
                Event::Exited(end) => self.ended(end, now, events),
                other => events.push(other),
            }
        }
        if self.heir_since.is_some_and(|since| self.stays(since, now)) {
            self.heir_since = None;
            events.extend(self.sign.map(Event::Sign));
        }
    }
}
