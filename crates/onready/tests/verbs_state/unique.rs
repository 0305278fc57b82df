//! Names made unique: always a new one, and as fast among a thousand as alone.

use crate::*;
use onready::verbs::state::State;
use std::collections::HashSet;

/// Puts one that lives on record, under the name that it is given.
fn start(state: &StateDir) -> String {
    let mut claim = state.claim_unique("x").expect("a claim");
    claim.write(&alive("x")).expect("write");
    claim.name().to_owned()
}

fn stop(state: &StateDir, name: &str) {
    let mut claim = state.claim(name).expect("a claim");
    let mut record = claim.record().cloned().expect("a record");
    record.outcome = Outcome::Stopped;
    claim.write(&record).expect("write");
}

#[test]
fn living_names_are_never_given_again_and_those_of_the_dead_are() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    for name in ["x", "x-2", "x-3"] {
        assert_eq!(start(&state), name);
    }
    stop(&state, "x-2");
    let again = state.claim_unique("x").expect("a claim");
    assert_eq!((again.name(), again.state()), ("x-2", Some(State::Stopped)));
    drop(again);
    assert_eq!(files(state.path()).len(), 6, "a record and a lock for each, and nothing of what was tried");
    sandbox.finish();
}

#[test]
fn a_dead_one_among_many_is_given_again_sooner_or_later() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    (0..60).for_each(|_| drop(start(&state)));
    stop(&state, "x-20");
    let gives_it = |_: &i32| {
        let claim = state.claim_unique("x").expect("a claim");
        let is_it = claim.name() == "x-20";
        claim.forget();
        is_it
    };
    // One of 60 or so each time: that it never comes has a chance of one in 10^36.
    let tries = (1..5000).find(gives_it);
    println!("{tries:?}");
    assert!(tries.is_some());
    sandbox.finish();
}

#[test]
fn when_many_have_been_stopped_the_lowest_are_given_again() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    (0..60).for_each(|_| drop(start(&state)));
    state.names().expect("names").iter().for_each(|name| stop(&state, name));
    for name in ["x", "x-2", "x-3"] {
        assert_eq!(start(&state), name);
    }
    sandbox.finish();
}

#[test]
fn many_at_once_get_many_names() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    race(|_| {
        let names: HashSet<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..50).map(|_| scope.spawn(|| start(&state))).collect();
            all.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(names.len(), 50, "{names:?}");
        for name in names {
            state.claim(&name).expect("a claim").forget();
        }
    });
    assert_eq!(files(state.path()), [""; 0]);
    sandbox.finish();
}

/// The fastest of some: what it costs when nothing else happens on the machine.
fn fastest(mut what: impl FnMut()) -> Duration {
    let times = (0..20).map(|_| {
        let since = Instant::now();
        what();
        since.elapsed()
    });
    times.min().unwrap_or_default()
}

#[test]
fn a_thousand_names_on_record_cost_next_to_nothing() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let claim = || state.claim_unique("x").expect("a claim").forget();
    let alone = fastest(claim);
    for number in 0..1000 {
        assert_eq!(start(&state) == "x", number == 0);
    }
    let among_living = fastest(claim);
    println!("alone {alone:?}, among a thousand that live {among_living:?}");
    // Twenty looks at records. Measured without the optimizer, so with room; the program's start takes milliseconds.
    assert!(among_living < alone + Duration::from_millis(20), "{alone:?} {among_living:?}");

    let since = Instant::now();
    let listing = onready::verbs::list(&state).expect("a list");
    let listed = since.elapsed();
    assert_eq!((listing.servers.len(), listing.unreadable.len()), (1000, 0));
    println!("list of a thousand: {listed:?}");
    let limit = if cfg!(debug_assertions) { 2000 } else { 100 };
    assert!(listed < Duration::from_millis(limit), "{listed:?}");
    sandbox.finish();
}

#[test]
fn a_given_name_like_a_made_up_one_is_respected() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let held = state.claim("x").expect("a claim");
    // Nothing is on record yet: its starter is at work.
    let other = state.claim_unique("x").expect("a claim");
    assert_eq!(other.name(), "x-2");
    drop((held, other));
    assert_eq!(files(state.path()), [""; 0]);
    sandbox.finish();
}
