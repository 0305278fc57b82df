//! The invariants of the machine, over any order of events.

#[path = "machine_tests/rules.rs"]
mod rules;

use super::*;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);
const RULES: Rules = Rules { signs: 1, any: false, timeout: None, keep_on_timeout: false };

/// A machine together with what it was told and what it wanted.
struct Start {
    machine: Machine,
    rules: Rules,
    now: Duration,
    /// What happened, as the machine saw it.
    told: Vec<(Duration, Event)>,
    /// What it wanted, with the number of events it knew of then.
    steps: Vec<(Duration, usize, Step)>,
}

impl Start {
    fn new(rules: Rules) -> Start {
        let mut start =
            Start { machine: Machine::new(rules), rules, now: Duration::ZERO, told: Vec::new(), steps: Vec::new() };
        start.go_on();
        start
    }

    /// Carries on until it wants to wait or is done, as `watch` does.
    fn go_on(&mut self) {
        loop {
            let step = self.machine.step(self.now);
            self.steps.push((self.now, self.told.len(), step.clone()));
            if matches!(step, Step::Wait(_) | Step::Done(_)) {
                return;
            }
        }
    }

    fn tell(&mut self, event: Event) {
        self.told.push((self.now, event.clone()));
        self.machine.on(event, self.now);
        self.go_on();
    }

    fn last(&self) -> &Step {
        &self.steps.last().expect("it has wanted something").2
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.last() {
            Step::Done(outcome) => Some(outcome.clone()),
            _ => None,
        }
    }

    fn at(&self, wanted: &Step) -> Option<(Duration, usize)> {
        self.steps.iter().find(|(_, _, step)| step == wanted).map(|(now, told, _)| (*now, *told))
    }

    fn wanted(&self) -> Vec<&Step> {
        self.steps.iter().map(|(_, _, step)| step).filter(|step| !matches!(step, Step::Wait(_))).collect()
    }

    /// Lets time pass as far as it wants to wait, and says `Settled` when it waits for that.
    fn finish(&mut self) -> Outcome {
        for _ in 0..1000 {
            match self.last() {
                Step::Done(outcome) => return outcome.clone(),
                Step::Wait(Some(until)) => {
                    self.now = self.now.max(*until);
                    self.go_on();
                }
                Step::Wait(None) if self.machine.phase == Phase::Settling => self.tell(Event::Settled),
                // Nothing has happened to the server: somebody loses patience.
                _ => self.tell(Event::Interrupted(15)),
            }
        }
        panic!("no outcome after a thousand steps: {:?}", self.steps)
    }

    fn knew(&self, told: usize, what: impl Fn(&Event) -> bool) -> bool {
        self.told[..told].iter().any(|(_, event)| what(event))
    }

    /// Everything that must hold of a start that is over.
    fn check(&mut self) {
        let outcome = self.finish();
        let (done_at, told_at_done) = self.at(&Step::Done(outcome.clone())).expect("it is done");
        let running = outcome == Outcome::Ready || (outcome == Outcome::TimedOut && self.rules.keep_on_timeout);
        let count = |wanted: &Step| self.steps.iter().filter(|(_, _, step)| step == wanted).count();

        assert!(count(&Step::Terminate) <= 1 && count(&Step::Kill) <= 1, "ended twice: {:?}", self.steps);
        assert!(count(&Step::Settle) >= 1, "an outcome before the output: {:?}", self.steps);
        if running {
            assert_eq!(count(&Step::Terminate) + count(&Step::Kill), 0, "{outcome:?} and ended");
            let trouble = |event: &Event| matches!(event, Event::Exited(_) | Event::Interrupted(_) | Event::Failed(_));
            assert!(!self.knew(told_at_done, trouble), "{outcome:?} though {:?}", self.told);
        } else {
            let (_, told) = self.at(&Step::Terminate).expect("a failed server is ended");
            let gone = self.told[told..told_at_done].iter().any(|(_, event)| *event == Event::Gone);
            let killed = self.at(&Step::Kill).is_some_and(|(at, _)| done_at >= at.saturating_add(KILL_GRACE));
            assert!(gone || killed, "{outcome:?} while something is left: {:?}", self.steps);
        }
        match &outcome {
            Outcome::Ready => assert!(self.knew(told_at_done, |event| matches!(event, Event::Sign(_)))),
            Outcome::Exited(_) => assert!(self.knew(told_at_done, |event| matches!(event, Event::Exited(_)))),
            Outcome::Failed(_) => assert!(self.knew(told_at_done, |event| matches!(event, Event::Failed(_)))),
            Outcome::Interrupted(_) => assert!(self.knew(told_at_done, |event| matches!(event, Event::Interrupted(_)))),
            Outcome::Abandoned => assert!(self.knew(told_at_done, |event| *event == Event::LetGo)),
            Outcome::TimedOut => assert!(self.at(&Step::LastLook).is_some(), "timed out without a last look"),
        }
        self.check_deadline();
        self.check_that_it_stays(&outcome);
    }

    /// The deadline as the rules and the server's wishes have it; nothing is late before.
    fn check_deadline(&self) {
        for (now, told, step) in &self.steps {
            if *step == Step::LastLook {
                let mut deadline = self.rules.timeout.expect("without a limit nothing is late");
                for (at, event) in &self.told[..*told] {
                    if let Event::Extend(by) = event {
                        deadline = deadline.max(at.saturating_add(*by));
                    }
                }
                assert!(*now >= deadline, "late at {now:?}, but the deadline is {deadline:?}");
            }
        }
    }

    fn check_that_it_stays(&mut self, outcome: &Outcome) {
        for event in [Event::Sign(0), Event::Exited(End::Code(9)), Event::Interrupted(2), Event::Gone, Event::LetGo] {
            self.now = self.now.saturating_add(SECOND);
            self.tell(event);
            assert_eq!(self.outcome().as_ref(), Some(outcome), "two outcomes");
        }
    }
}

fn end() -> impl Strategy<Value = End> {
    let signal = (1..65, any::<bool>()).prop_map(|(signal, core)| End::Signal { signal, core });
    prop_oneof![any::<u8>().prop_map(End::Code), signal, Just(End::Unknown)]
}

fn time() -> impl Strategy<Value = Duration> {
    let short = (0u64..8000).prop_map(Duration::from_millis);
    prop_oneof![4 => Just(Duration::ZERO), 8 => short, 1 => Just(Duration::MAX)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0usize..4).prop_map(Event::Sign),
        "[a-z]{0,3}".prop_map(Event::Status),
        time().prop_map(Event::Extend),
        any::<i32>().prop_map(Event::Errno),
        Just(Event::LetGo),
        end().prop_map(Event::Exited),
        "[a-z]{1,3}".prop_map(Event::Failed),
        (1i32..16).prop_map(Event::Interrupted),
        Just(Event::Gone),
        Just(Event::Settled),
    ]
}

fn any_rules() -> impl Strategy<Value = Rules> {
    (1usize..4, any::<bool>(), proptest::option::of(time()), any::<bool>())
        .prop_map(|(signs, any, timeout, keep_on_timeout)| Rules { signs, any, timeout, keep_on_timeout })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_comes_to_one_true_outcome(
        rules in any_rules(),
        story in proptest::collection::vec((0u64..4000, event()), 0..24),
    ) {
        let mut start = Start::new(rules);
        for (after, event) in story {
            start.now = start.now.saturating_add(Duration::from_millis(after));
            start.go_on();
            start.tell(event);
        }
        start.check();
    }

    #[test]
    fn a_deadline_never_comes_nearer(limit in time(), wishes in proptest::collection::vec((0u64..500, time()), 0..8)) {
        let mut start = Start::new(Rules { timeout: Some(limit), ..RULES });
        let mut before = limit;
        for (after, wish) in wishes {
            let now = Duration::from_millis(after);
            start.machine.on(Event::Extend(wish), now);
            let deadline = start.machine.deadline.expect("there is one");
            prop_assert!(deadline >= before);
            prop_assert_eq!(deadline, before.max(now.saturating_add(wish)));
            before = deadline;
        }
    }
}

/// Calls `visit` with every order of `items`.
fn permute(items: &mut Vec<Event>, from: usize, visit: &mut impl FnMut(&[Event])) {
    if from == items.len() {
        return visit(items);
    }
    for at in from..items.len() {
        items.swap(from, at);
        permute(items, from + 1, visit);
        items.swap(from, at);
    }
}

#[test]
fn every_order_of_the_seven_great_events_comes_to_one_true_outcome() {
    let mut events = vec![
        Event::Sign(0),
        Event::Exited(End::Code(0)),
        Event::LetGo,
        Event::Failed("no".into()),
        Event::Interrupted(2),
        Event::Gone,
        Event::Settled,
    ];
    let mut seen = 0;
    permute(&mut events, 0, &mut |order| {
        for timeout in [None, Some(Duration::ZERO), Some(SECOND)] {
            let mut start = Start::new(Rules { timeout, ..RULES });
            order.iter().cloned().for_each(|event| start.tell(event));
            start.check();
            seen += 1;
        }
    });
    assert_eq!(seen, 3 * 5040);
}

#[test]
fn every_order_in_which_two_of_three_signs_and_a_death_can_come() {
    for any in [false, true] {
        let mut events =
            vec![Event::Sign(0), Event::Sign(1), Event::Sign(2), Event::Exited(End::Code(1)), Event::Settled];
        permute(&mut events, 0, &mut |order| {
            let mut start = Start::new(Rules { signs: 3, any, ..RULES });
            order.iter().cloned().for_each(|event| start.tell(event));
            start.check();
        });
    }
}
