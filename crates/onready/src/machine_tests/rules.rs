//! One test a rule.

use super::*;

#[test]
fn ready_and_a_death_seen_at_once_is_a_death() {
    for order in [[Event::Sign(0), Event::Exited(End::Code(3))], [Event::Exited(End::Code(3)), Event::Sign(0)]] {
        let mut machine = Machine::new(RULES);
        order.into_iter().for_each(|event| machine.on(event, SECOND));
        assert_eq!(machine.step(SECOND), Step::Terminate);
        machine.on(Event::Gone, SECOND);
        machine.on(Event::Settled, SECOND);
        assert_eq!(machine.step(SECOND), Step::Settle);
        machine.on(Event::Settled, SECOND);
        assert_eq!(machine.step(SECOND), Step::Done(Outcome::Exited(End::Code(3))));
    }
}

#[test]
fn a_death_while_the_output_is_delivered_is_a_death() {
    let mut start = Start::new(RULES);
    start.tell(Event::Sign(0));
    assert_eq!(*start.last(), Step::Wait(None), "it waits until the caller has its output");
    start.tell(Event::Exited(End::Signal { signal: 11, core: true }));
    assert_eq!(start.finish(), Outcome::Exited(End::Signal { signal: 11, core: true }));
}

#[test]
fn ready_needs_all_signs_or_any() {
    for (any, enough) in [(false, 3), (true, 1)] {
        let mut start = Start::new(Rules { signs: 3, any, ..RULES });
        for sign in 0..3 {
            let ready = start.wanted() == [&Step::Settle];
            assert_eq!(ready, sign >= enough, "any: {any}, after {sign} signs");
            start.tell(Event::Sign(2 - sign));
        }
        start.tell(Event::Settled);
        assert_eq!(start.outcome(), Some(Outcome::Ready));
    }
}

#[test]
fn a_sign_that_does_not_exist_is_no_sign() {
    let mut start = Start::new(RULES);
    start.tell(Event::Sign(7));
    assert_eq!(*start.last(), Step::Wait(None));
    assert_eq!(start.machine.given(), [false]);
}

#[test]
fn no_signs_at_all_are_not_readiness() {
    let start = Start::new(Rules { signs: 0, ..RULES });
    assert_eq!(*start.last(), Step::Wait(None));
}

#[test]
fn a_sign_at_the_last_look_is_in_time() {
    let mut machine = Machine::new(Rules { timeout: Some(SECOND), ..RULES });
    assert_eq!(machine.step(Duration::ZERO), Step::Wait(Some(SECOND)));
    assert_eq!(machine.step(SECOND), Step::LastLook);
    machine.on(Event::Sign(0), SECOND);
    assert_eq!(machine.step(SECOND), Step::Settle);
}

#[test]
fn a_wish_for_time_at_the_last_look_is_granted_and_looked_at_again_later() {
    let mut machine = Machine::new(Rules { timeout: Some(SECOND), ..RULES });
    assert_eq!(machine.step(SECOND), Step::LastLook);
    machine.on(Event::Extend(SECOND), SECOND);
    assert_eq!(machine.step(SECOND), Step::Wait(Some(2 * SECOND)));
    assert_eq!(machine.step(2 * SECOND), Step::LastLook);
    assert_eq!(machine.step(2 * SECOND), Step::Terminate);
}

#[test]
fn who_wants_all_the_time_has_it() {
    let mut start = Start::new(Rules { timeout: Some(SECOND), ..RULES });
    start.tell(Event::Extend(Duration::MAX));
    assert_eq!(*start.last(), Step::Wait(Some(Duration::MAX)));
}

#[test]
fn a_wish_without_a_limit_makes_none() {
    let mut start = Start::new(RULES);
    start.tell(Event::Extend(Duration::ZERO));
    assert_eq!(*start.last(), Step::Wait(None));
}

#[test]
fn a_late_server_is_asked_to_end_then_ended() {
    let mut start = Start::new(Rules { timeout: Some(SECOND), ..RULES });
    assert_eq!(start.finish(), Outcome::TimedOut);
    let done = Step::Done(Outcome::TimedOut);
    assert_eq!(start.wanted(), [&Step::LastLook, &Step::Terminate, &Step::Kill, &Step::Settle, &done]);
    assert_eq!(start.at(&Step::Kill).map(|(at, _)| at), Some(SECOND + STOP_GRACE));
}

#[test]
fn a_late_server_may_be_kept() {
    let mut start = Start::new(Rules { timeout: Some(SECOND), keep_on_timeout: true, ..RULES });
    assert_eq!(start.finish(), Outcome::TimedOut);
    assert_eq!(start.wanted(), [&Step::LastLook, &Step::Settle, &Step::Done(Outcome::TimedOut)]);
}

#[test]
fn a_kept_server_that_dies_at_the_last_moment_is_dead() {
    let mut start = Start::new(Rules { timeout: Some(SECOND), keep_on_timeout: true, ..RULES });
    start.now = SECOND;
    start.go_on();
    start.tell(Event::Exited(End::Code(4)));
    assert_eq!(start.finish(), Outcome::Exited(End::Code(4)));
}

#[test]
fn a_dead_server_is_not_waited_for_long() {
    let mut start = Start::new(RULES);
    start.tell(Event::Exited(End::Code(3)));
    assert_eq!(*start.last(), Step::Wait(Some(REMAINS_GRACE)));
    assert_eq!(start.finish(), Outcome::Exited(End::Code(3)));
    assert_eq!(start.at(&Step::Kill).map(|(at, _)| at), Some(REMAINS_GRACE));
}

#[test]
fn who_lets_go_has_a_moment_to_say_why() {
    let mut start = Start::new(RULES);
    start.tell(Event::LetGo);
    assert_eq!(*start.last(), Step::Wait(Some(ABANDON_GRACE)));
    start.now = ABANDON_GRACE / 2;
    start.tell(Event::LetGo);
    assert_eq!(*start.last(), Step::Wait(Some(ABANDON_GRACE)), "said twice is not said later");
    start.tell(Event::Exited(End::Code(5)));
    assert_eq!(start.finish(), Outcome::Exited(End::Code(5)));
}

#[test]
fn who_lets_go_and_lives_on_is_abandoned() {
    let mut start = Start::new(RULES);
    start.tell(Event::LetGo);
    start.now = ABANDON_GRACE;
    start.go_on();
    assert_eq!(*start.last(), Step::Wait(Some(ABANDON_GRACE + STOP_GRACE)));
    start.tell(Event::Exited(End::Signal { signal: 15, core: false }));
    start.tell(Event::Gone);
    start.tell(Event::Settled);
    assert_eq!(start.outcome(), Some(Outcome::Abandoned), "how we ended it is not the reason");
}

#[test]
fn the_second_ctrl_c_kills_at_once() {
    let mut start = Start::new(RULES);
    start.tell(Event::Interrupted(2));
    assert_eq!(*start.last(), Step::Wait(Some(STOP_GRACE)));
    start.tell(Event::Interrupted(2));
    assert_eq!(start.wanted(), [&Step::Terminate, &Step::Kill]);
    assert_eq!(start.finish(), Outcome::Interrupted(2));
}

#[test]
fn ctrl_c_while_a_dead_server_s_output_waits_gives_up_the_output_alone() {
    let mut start = Start::new(RULES);
    start.tell(Event::Exited(End::Code(3)));
    start.tell(Event::Gone);
    assert_eq!(*start.last(), Step::Wait(None));
    start.tell(Event::Interrupted(2));
    assert_eq!(start.outcome(), Some(Outcome::Exited(End::Code(3))));
}

#[test]
fn ctrl_c_while_a_ready_server_s_output_waits_ends_it() {
    let mut start = Start::new(RULES);
    start.tell(Event::Sign(0));
    start.tell(Event::Interrupted(2));
    assert_eq!(start.finish(), Outcome::Interrupted(2));
}

#[test]
fn gone_before_the_end_was_asked_for_does_not_count() {
    let mut start = Start::new(RULES);
    start.tell(Event::Gone);
    start.tell(Event::Settled);
    start.tell(Event::Interrupted(15));
    assert_eq!(*start.last(), Step::Wait(Some(STOP_GRACE)));
}

#[test]
fn what_cannot_be_killed_is_reported_nonetheless() {
    let mut start = Start::new(RULES);
    start.tell(Event::Failed("a stranger listens there".into()));
    assert_eq!(start.finish(), Outcome::Failed("a stranger listens there".into()));
    assert_eq!(start.at(&Step::Settle).map(|(at, _)| at), Some(STOP_GRACE + KILL_GRACE));
}

#[test]
fn the_last_status_and_the_error_number_are_kept() {
    let mut start = Start::new(RULES);
    start.tell(Event::Status("one".into()));
    start.tell(Event::Status("two".into()));
    start.tell(Event::Errno(13));
    assert_eq!((start.machine.status(), start.machine.errno()), (Some("two"), Some(13)));
    start.tell(Event::Status(String::new()));
    assert_eq!(start.machine.status(), None, "an empty one wipes it");
}
