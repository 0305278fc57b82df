//! One holder at a time, whole records, and what waiting means.

use crate::*;
use onready::engine::Environment;
use onready::verbs::state::{Claim, State};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[test]
fn one_holds_a_name_at_a_time_though_its_lock_is_removed_and_made_anew() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let inside = AtomicU32::new(0);
    race(|_| {
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (state, inside) = (&state, &inside);
                scope.spawn(move || {
                    for turn in 0..20 {
                        let mut claim = state.claim("web").expect("a claim");
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold it");
                        if (turn + number) % 3 == 0 {
                            claim.write(&alive("web")).expect("write");
                        }
                        inside.fetch_sub(1, Ordering::SeqCst);
                        match (turn + number) % 2 {
                            0 => claim.forget(),
                            _ => drop(claim),
                        }
                    }
                });
            }
        });
    });
    state.claim("web").expect("a claim").forget();
    assert_eq!(files(state.path()), [""; 0], "locks that are left");
    sandbox.finish();
}

#[test]
fn a_reader_never_sees_half_a_record() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let mut claim = state.claim("web").expect("a claim");
    let mut long = alive("web");
    long.error = Some("e".repeat(100_000));
    claim.write(&long).expect("write");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut count = 0;
            while !over.load(Ordering::Relaxed) {
                let record = state.read("web").expect("a whole record").expect("a record");
                assert!([7, 100_000].contains(&record.error.expect("an error").len()));
                count += 1;
            }
            count
        });
        race(|_| {
            let mut short = alive("web");
            short.error = Some("e".repeat(7));
            claim.write(&short).expect("write");
            claim.write(&long).expect("write");
        });
        over.store(true, Ordering::Relaxed);
        assert!(reader.join().expect("no panic") > 10);
    });
    assert_eq!(files(state.path()), ["web.lock", "web.state"]);
    sandbox.finish();
}

/// What somebody finds who waits for a claim while `holder` does something with it.
fn wait_for(state: &StateDir, holder: impl FnOnce(Claim)) -> Claim {
    let claim = state.claim("web").expect("a claim");
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| state.claim("web").expect("a claim"));
        // A thread that sleeps in flock(2) is as far as it gets.
        let since = Instant::now();
        let inode = std::fs::metadata(state.path().join("web.lock")).expect("the lock").ino();
        let locks = || std::fs::read_to_string("/proc/locks").expect("/proc/locks");
        let waits = || locks().lines().any(|line| line.contains("-> FLOCK") && line.contains(&format!(":{inode} ")));
        while !waits() {
            assert!(since.elapsed() < Duration::from_secs(30));
            std::thread::yield_now();
        }
        holder(claim);
        waiter.join().expect("no panic")
    })
}

#[test]
fn who_waited_gets_the_outcome_of_the_one_waited_for() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let claim = wait_for(&state, |mut claim| {
        let mut record = alive("web");
        (record.outcome, record.code, record.error) = (Outcome::Exited, 3, Some("no such table".into()));
        claim.write(&record).expect("write");
    });
    assert!(claim.waited());
    let record = claim.record().expect("a record");
    assert_eq!((record.outcome, record.code, record.error.as_deref()), (Outcome::Exited, 3, Some("no such table")));
    drop(claim);
    // Who comes later waits for nobody: the outcome is an old one.
    let later = state.claim("web").expect("a claim");
    assert!(!later.waited() && later.record().is_some());
    later.forget();
    sandbox.finish();
}

#[test]
fn who_waited_for_one_who_did_nothing_waited_for_nothing() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let mut claim = state.claim("web").expect("a claim");
    claim.write(&alive("web")).expect("write");
    drop(claim);
    let claim = wait_for(&state, drop);
    assert!(!claim.waited(), "the outcome on record is older than the waiting");
    drop(claim);
    let claim = wait_for(&state, Claim::forget);
    assert!(!claim.waited() && claim.record().is_none());
    sandbox.finish();
}

#[test]
fn who_does_not_want_to_wait_for_ever_does_not() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let held = state.claim("web").expect("a claim");
    for limit in [Duration::ZERO, Duration::from_millis(100)] {
        let since = Instant::now();
        let error = state.claim_within("web", limit).expect_err("it is held");
        assert_eq!(error.exit_code(), 124);
        assert!(error.to_string().contains("of web has not come to an end within"), "{error}");
        assert!(since.elapsed() >= limit);
    }
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| state.claim_within("web", Duration::from_secs(30)).map(drop));
        drop(held);
        waiter.join().expect("no panic").expect("a claim");
    });
    // What waited in vain has left nothing behind.
    state.claim_within("web", Duration::from_secs(30)).expect("a claim").forget();
    assert_eq!(files(state.path()), [""; 0]);
    sandbox.finish();
}

#[test]
fn a_starter_that_was_killed_is_seen_and_what_it_started_is_ended() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let run = testbed::Run::new(sandbox.fixture(["stay"])).start();
    let mut claim = state.claim("web").expect("a claim");
    let mut record = alive("web");
    record.outcome = Outcome::Starting;
    record.identity = Some(Identity::of(run.pid()).expect("the server"));
    claim.write(&record).expect("write");
    assert_eq!(state.state(&record), State::Starting);
    // As its death does it.
    drop(claim);
    assert_eq!(state.state(&record), State::Dead);
    let claim = state.claim("web").expect("a claim");
    assert_eq!(run.done().signal, Some(9), "the server was ended");
    assert!(!claim.waited(), "nobody has decided anything");
    assert_eq!(claim.record().map(|record| record.outcome), Some(Outcome::Interrupted));
    assert_eq!(claim.state(), Some(State::Failed));
    claim.forget();
    sandbox.finish();
}

#[test]
fn a_damaged_record_is_none_and_a_later_version_s_is_left_alone() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    std::fs::write(state.path().join("web.state"), "{\"name\":\"we").expect("write");
    assert!(state.read("web").is_err());
    let mut claim = state.claim("web").expect("a claim");
    assert!(claim.record().is_none());
    claim.write(&alive("web")).expect("write");
    assert!(state.read("web").is_ok());
    claim.forget();
    std::fs::write(state.path().join("new.state"), "{\"version\":99,\"name\":\"new\"}\n").expect("write");
    let error = state.claim("new").expect_err("a later version's").to_string();
    assert!(error.contains("record of new") && error.contains("later version"), "{error}");
    assert!(state.path().join("new.state").exists());
    sandbox.finish();
}

#[test]
fn what_a_killed_writer_left_is_in_nobody_s_way() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    std::fs::write(state.path().join("web.new"), "{\"na").expect("write");
    let mut claim = state.claim("web").expect("a claim");
    claim.write(&alive("web")).expect("write");
    assert_eq!(files(state.path()), ["web.lock", "web.state"]);
    std::fs::write(state.path().join("web.new"), "{\"na").expect("write");
    claim.forget();
    assert_eq!(files(state.path()), [""; 0]);
    sandbox.finish();
}

#[test]
fn a_long_environment_is_on_record_whether_it_was_written_in_advance_or_not() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    let long = |letter: &str| -> Environment { [("LONG".into(), letter.repeat(200_000).into())].into_iter().collect() };
    let (environment, another) = (long("a"), long("b"));
    // The line has its room, or has not; the environment is the one that was told, or is not.
    for (word, told) in [(10, &environment), (10, &another), (20_000, &environment)] {
        let mut record = alive("x");
        record.argv.push("w".repeat(word).into());
        record.environment = environment.clone();
        let mut claim = state.claim("x").expect("a claim");
        claim.prepare(told);
        claim.write(&record).expect("written");
        assert_eq!(files(&sandbox.path("state")), ["x.lock", "x.state"]);
        drop(claim);
        let claim = state.claim("x").expect("a claim");
        let read = claim.record().expect("a record");
        assert!(read.environment == environment && read.argv == record.argv, "{word}");
        assert_eq!(state.read("x").expect("readable").expect("a record").argv, record.argv);
    }
    state.claim("x").expect("a claim").forget();
    sandbox.finish();
}
