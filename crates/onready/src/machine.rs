//! What a start comes to, decided from events alone: no clock, no descriptor, no process.
//!
//! The loop in `watch` tells the machine what has happened and asks for the next [`Step`]; times are counted from
//! the start of the server. Its invariants (property-tested below, over any order of events): exactly one outcome;
//! a server that is seen dead is never ready; nothing is reported before what is left of a failed server is gone or
//! was killed; the deadline moves only when the server asks for it.

use std::time::Duration;

/// How long a server that let go of its channel may take to exit before it counts as abandoned.
pub const ABANDON_GRACE: Duration = Duration::from_secs(2);
/// How long a server may take to end after SIGTERM before it gets SIGKILL.
pub const STOP_GRACE: Duration = Duration::from_secs(5);
/// The same for what a server that is dead already leaves behind: its exit code is waited for, they are not.
pub const REMAINS_GRACE: Duration = Duration::from_millis(100);
/// How long the kernel may take to carry out a SIGKILL before it is reported as it is.
pub const KILL_GRACE: Duration = Duration::from_secs(5);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Code(u8),
    /// It was killed by this signal.
    Signal {
        /// The signal's number.
        signal: i32,
        /// Whether the kernel wrote a core dump.
        core: bool,
    },
    /// It is gone, and somebody else took its exit status.
    Unknown,
}

/// What a start came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server is ready and was alive at the last look.
    Ready,
    /// The server ended.
    Exited(End),
    /// The server was not ready in time.
    TimedOut,
    /// The server let go of the channel and lived on.
    Abandoned,
    /// Something that was watched says that this cannot become a ready server.
    Failed(String),
    /// The launcher was asked by this signal to give up.
    Interrupted(i32),
}

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Sign number `n` of readiness is there.
    Sign(usize),
    /// The server says what it does.
    Status(String),
    /// The server asks for time, counted from now.
    Extend(Duration),
    /// The server names an error number as its trouble.
    Errno(i32),
    /// Nobody holds the channel any more, or `Ready` was dropped.
    LetGo,
    /// The server's main process has ended.
    Exited(End),
    /// A condition cannot become true any more, and why.
    Failed(String),
    /// The launcher got this signal.
    Interrupted(i32),
    /// All processes of the server are gone.
    Gone,
    /// All start-up output has been delivered, or cannot be.
    Settled,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for events, at most until this time (counted from the start).
    Wait(Option<Duration>),
    /// The time is over: look once more at every sign, now.
    LastLook,
    /// Ask all processes of the server to end (SIGTERM).
    Terminate,
    /// End them (SIGKILL).
    Kill,
    /// Deliver all output and look once more whether the server lives; then say [`Event::Settled`].
    Settle,
    /// That is it.
    Done(Outcome),
}

/// How many signs are needed, how long, and what happens when the time is over.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How many signs there are.
    pub signs: usize,
    /// Whether one sign is enough.
    pub any: bool,
    /// From the start.
    pub timeout: Option<Duration>,
    /// Leave the server running when the time is over.
    pub keep_on_timeout: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    LastLook,
    /// Told to end, at this time.
    Ending(Duration),
    /// Killed, at this time.
    Killed(Duration),
    Settling,
    Over,
}

/// The state of one start.
#[derive(Debug)]
pub struct Machine {
    rules: Rules,
    deadline: Option<Duration>,
    given: Vec<bool>,
    status: Option<String>,
    errno: Option<i32>,
    let_go: Option<Duration>,
    exited: Option<End>,
    failed: Option<String>,
    interrupted: Option<i32>,
    impatient: bool,
    hurry: bool,
    gone: bool,
    settled: bool,
    phase: Phase,
    verdict: Option<Outcome>,
}

impl Machine {
    /// A start that has just begun.
    pub fn new(rules: Rules) -> Machine {
        Machine {
            rules,
            deadline: rules.timeout,
            given: vec![false; rules.signs],
            status: None,
            errno: None,
            let_go: None,
            exited: None,
            failed: None,
            interrupted: None,
            impatient: false,
            hurry: false,
            gone: false,
            settled: false,
            phase: Phase::Starting,
            verdict: None,
        }
    }

    /// Tells what has happened.
    pub fn on(&mut self, event: Event, now: Duration) {
        match event {
            Event::Sign(n) => self.given.iter_mut().skip(n).take(1).for_each(|given| *given = true),
            Event::Status(text) => self.status = Some(text).filter(|text| !text.is_empty()),
            Event::Extend(by) => self.extend(now.saturating_add(by)),
            Event::Errno(number) => self.errno = Some(number),
            Event::LetGo => self.let_go = self.let_go.or(Some(now)),
            Event::Exited(end) => self.exited = self.exited.or(Some(end)),
            Event::Failed(why) => self.failed = self.failed.take().or(Some(why)),
            Event::Interrupted(signal) => {
                self.impatient = self.interrupted.is_some();
                self.hurry = self.phase == Phase::Settling;
                self.interrupted = self.interrupted.or(Some(signal));
            }
            Event::Gone => self.gone = true,
            Event::Settled => self.settled = true,
        }
    }

    /// A server may move the deadline away, never nearer: a late short wish must not undo an early long one.
    fn extend(&mut self, until: Duration) {
        self.deadline = self.deadline.map(|deadline| deadline.max(until));
    }

    /// What the server said last about what it does.
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    /// The error number that the server named, if it did.
    pub fn errno(&self) -> Option<i32> {
        self.errno
    }

    /// Which signs have been given.
    pub fn given(&self) -> &[bool] {
        &self.given
    }

    /// Whether the server is being stopped, or was.
    pub fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Ending(_) | Phase::Killed(_))
    }

    /// What is to be done now.
    pub fn step(&mut self, now: Duration) -> Step {
        match self.phase {
            Phase::Starting | Phase::LastLook => self.starting(now),
            Phase::Ending(since) => self.ending(since, now),
            Phase::Killed(since) => self.killed(since, now),
            Phase::Settling => self.settling(now),
            Phase::Over => Step::Done(self.verdict.clone().expect("a start that is over has an outcome")),
        }
    }

    /// The order is the truth's: a dead server is dead whatever it said, a ready one is ready though it is late.
    fn starting(&mut self, now: Duration) -> Step {
        if let Some(trouble) = self.trouble() {
            return self.end(trouble, now);
        }
        if self.is_ready() {
            return self.settle(Outcome::Ready);
        }
        let abandoned = self.let_go.map(|since| since.saturating_add(ABANDON_GRACE));
        if abandoned.is_some_and(|at| now >= at) {
            return self.end(Outcome::Abandoned, now);
        }
        if self.deadline.is_some_and(|at| now >= at) {
            return self.late(now);
        }
        self.phase = Phase::Starting;
        Step::Wait([self.deadline, abandoned].into_iter().flatten().min())
    }

    fn trouble(&self) -> Option<Outcome> {
        let interrupted = self.interrupted.map(Outcome::Interrupted);
        let exited = self.exited.map(Outcome::Exited);
        interrupted.or(exited).or_else(|| self.failed.clone().map(Outcome::Failed))
    }

    fn is_ready(&self) -> bool {
        let mut given = self.given.iter();
        if self.rules.any { given.any(|&g| g) } else { !self.given.is_empty() && given.all(|&g| g) }
    }

    fn late(&mut self, now: Duration) -> Step {
        if self.phase == Phase::Starting {
            self.phase = Phase::LastLook;
            return Step::LastLook;
        }
        if self.rules.keep_on_timeout { self.settle(Outcome::TimedOut) } else { self.end(Outcome::TimedOut, now) }
    }

    fn end(&mut self, verdict: Outcome, now: Duration) -> Step {
        self.verdict = Some(verdict);
        self.gone = false;
        self.settled = false;
        self.phase = Phase::Ending(now);
        Step::Terminate
    }

    fn ending(&mut self, since: Duration, now: Duration) -> Step {
        if self.gone {
            return self.settle_down();
        }
        let grace = if self.exited.is_some() { REMAINS_GRACE } else { STOP_GRACE };
        let until = since.saturating_add(grace);
        if self.impatient || now >= until {
            self.phase = Phase::Killed(now);
            return Step::Kill;
        }
        Step::Wait(Some(until))
    }

    fn killed(&mut self, since: Duration, now: Duration) -> Step {
        let until = since.saturating_add(KILL_GRACE);
        if self.gone || now >= until { self.settle_down() } else { Step::Wait(Some(until)) }
    }

    fn settle(&mut self, verdict: Outcome) -> Step {
        self.verdict = Some(verdict);
        self.settle_down()
    }

    fn settle_down(&mut self) -> Step {
        self.settled = false;
        self.hurry = false;
        self.phase = Phase::Settling;
        Step::Settle
    }

    /// Ready, or left running: only as long as nothing contradicts it until the very end.
    fn settling(&mut self, now: Duration) -> Step {
        let running = matches!(self.verdict, Some(Outcome::Ready))
            || (self.verdict == Some(Outcome::TimedOut) && self.rules.keep_on_timeout);
        if let (true, Some(trouble)) = (running, self.trouble()) {
            return self.end(trouble, now);
        }
        // Who is asked to give up while the caller does not read gives up the reading, not the outcome.
        if !self.settled && !self.hurry {
            return Step::Wait(None);
        }
        self.phase = Phase::Over;
        self.step(now)
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
