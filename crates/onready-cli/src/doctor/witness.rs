//! The source that gives no sign, but writes down all that the others see.

use super::advice::Facts;
use crate::leader::Passage;
use crate::receiver::Heard;
use crate::start::Seen;
use crate::world::SharedWorld;
use onready::engine::{Event, Interest, SharedProcess, Source, describe, printable, tree};
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// How often it is looked at what nobody else looks at.
const LOOK: Duration = Duration::from_millis(10);
/// No shorter silence is worth a word.
const QUIET: Duration = Duration::from_millis(200);
/// What is shown of a line.
const WIDTH: usize = 100;
/// What is read of the end of a log.
const TAIL: u64 = 4096;

/// One of the server's streams.
struct Stream {
    name: &'static str,
    number: i32,
    log: PathBuf,
    begun: bool,
    closed: bool,
}

/// The witness.
pub struct Witness {
    world: SharedWorld,
    main: SharedProcess,
    passage: Rc<Passage>,
    heard: Rc<RefCell<Vec<Heard>>>,
    streams: Vec<Stream>,
    listening: Vec<String>,
    until: Duration,
    looked: Duration,
    over: bool,
    facts: Rc<RefCell<Facts>>,
}

impl Witness {
    /// Of what is seen of a start, for this long.
    pub fn new(
        seen: Seen,
        logs: (Option<PathBuf>, Option<PathBuf>),
        until: Duration,
        facts: Rc<RefCell<Facts>>,
    ) -> Witness {
        let stream = |name, number, log: Option<PathBuf>| Stream {
            name,
            number,
            log: log.unwrap_or_default(),
            begun: false,
            closed: false,
        };
        let pid = seen.main.borrow().pid();
        facts.borrow_mut().seen.push((Duration::ZERO, format!("started as pid {pid}")));
        Witness {
            world: seen.world,
            main: seen.main,
            passage: seen.passage,
            heard: seen.heard,
            streams: vec![stream("stdout", 1, logs.0), stream("stderr", 2, logs.1)],
            listening: Vec::new(),
            until,
            looked: Duration::ZERO,
            over: false,
            facts,
        }
    }

    fn note(&self, at: Duration, what: impl Into<String>) {
        self.facts.borrow_mut().seen.push((at, what.into()));
    }

    fn who(&self, pid: i32) -> String {
        let name = tree::name(pid).unwrap_or_else(|| "a process that is gone by now".into());
        format!("{name}, pid {pid}")
    }

    fn hear_messages(&mut self) {
        let heard = std::mem::take(&mut *self.heard.borrow_mut());
        for message in heard {
            let is_main = message.pid == self.main.borrow().pid();
            let from = if is_main { String::new() } else { format!(" (from {})", self.who(message.pid)) };
            let text = printable(&message.text.trim_end().replace('\n', ", "), WIDTH);
            let refused = if message.counts { "" } else { ", which does not count: it is not the server's" };
            self.note(message.at, format!("says {text}{from}{refused}"));
            if !message.counts {
                continue;
            }
            let mut facts = self.facts.borrow_mut();
            facts.spoke = facts.spoke.or(Some(message.at));
            if message.text.lines().any(|line| line == "READY=1") {
                facts.said_ready = facts.said_ready.or(Some(message.at));
            }
        }
    }

    fn look_at_listeners(&mut self, now: Duration) {
        let world = Rc::clone(&self.world);
        let world = world.borrow();
        for owned in world.listening() {
            let address = owned.address.to_string();
            if !self.listening.contains(&address) {
                self.note(now, format!("listens on {address} ({})", self.who(owned.pid)));
                let mut facts = self.facts.borrow_mut();
                facts.listened.get_or_insert((now, address.clone()));
                drop(facts);
                self.listening.push(address);
            }
        }
    }

    fn look_at_streams(&mut self, now: Duration) {
        let pid = self.main.borrow().pid();
        let mut notes = Vec::new();
        for stream in &mut self.streams {
            let written = std::fs::metadata(&stream.log).is_ok_and(|stat| stat.len() > 0);
            if written && !stream.begun {
                stream.begun = true;
                let line = first_line(&stream.log).unwrap_or_default();
                notes.push(format!("first output on {}: {}", stream.name, printable(&line, WIDTH)));
            }
            let is_there = tree::stat(pid).is_some_and(|stat| stat.is_alive());
            if is_there && !stream.closed {
                let link = std::fs::read_link(format!("/proc/{pid}/fd/{}", stream.number));
                match link {
                    Ok(to) if to == stream.log => continue,
                    Ok(to) => notes.push(format!("lets go of {}: it leads to {} now", stream.name, to.display())),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                        notes.push(format!("closes {}", stream.name));
                    }
                    Err(_) => {}
                }
                stream.closed = true;
            }
        }
        notes.into_iter().for_each(|what| self.note(now, what));
    }

    fn look_at_events(&mut self, now: Duration, events: &[Event]) {
        for event in events {
            match event {
                Event::Sign(1) if self.facts.borrow().line.is_none() => {
                    self.facts.borrow_mut().line = Some(now);
                    self.note(now, "writes a line to descriptor 3");
                }
                Event::Exited(end) if self.facts.borrow().exited.is_none() => {
                    self.facts.borrow_mut().exited = Some((now, *end));
                    self.note(now, describe(*end));
                }
                _ => {}
            }
        }
        if self.passage.gone_to_background.get() && self.facts.borrow().background.is_none() {
            self.facts.borrow_mut().background = Some(now);
            let who = self.who(self.main.borrow().pid());
            self.note(now, format!("exits 0 and goes on in the background ({who})"));
        }
    }

    /// The last looks, while the server still is what it is.
    fn conclude(&mut self, now: Duration) {
        self.over = true;
        let mut world = self.world.borrow_mut();
        let quiet = world.quiet_for();
        if world.could_speak() {
            self.facts.borrow_mut().could_speak = true;
        }
        drop(world);
        if quiet >= QUIET && self.facts.borrow().exited.is_none() {
            let last = self.facts.borrow().seen.iter().map(|(at, _)| *at).max().unwrap_or_default();
            self.note(now.saturating_sub(quiet).max(last), "is quiet from here on");
        }
        let last = self.streams.iter().filter_map(|stream| last_line(&stream.log)).max_by_key(|(at, _)| *at);
        self.facts.borrow_mut().last_line = last.map(|(_, line)| line);
    }
}

fn first_line(log: &Path) -> Option<String> {
    let mut line = Vec::new();
    BufReader::new(File::open(log).ok()?).take(TAIL).read_until(b'\n', &mut line).ok()?;
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The last line that says something, and when the log was last written.
fn last_line(log: &Path) -> Option<(std::time::SystemTime, String)> {
    let mut file = File::open(log).ok()?;
    let stat = file.metadata().ok()?;
    file.seek(SeekFrom::Start(stat.len().saturating_sub(TAIL))).ok()?;
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some((stat.modified().ok()?, printable(line, 2 * WIDTH)))
}

impl Source for Witness {
    fn interest(&self, want: &mut Interest) {
        if !self.over {
            want.within(LOOK);
        }
    }

    fn collect(&mut self, _ready: &Interest, now: Duration, events: &mut Vec<Event>) {
        self.hear_messages();
        if self.over {
            return;
        }
        self.look_at_listeners(now);
        self.look_at_events(now, events);
        let ends = self.facts.borrow().exited.is_some();
        if now >= self.looked + LOOK || ends {
            self.looked = now;
            self.look_at_streams(now);
            self.world.borrow_mut().quiet_for();
        }
        if ends {
            self.conclude(now);
        } else if now >= self.until {
            self.facts.borrow_mut().watched = true;
            self.conclude(now);
            events.push(Event::Failed("it was watched long enough".into()));
        }
    }
}
