//! `kill -9` at each step of start, stop and restart: the next command reads rightly what is left.
//!
//! strace(1) kills the program at its N-th system call. `ONREADY_KILL_STRIDE` says how many are left out between two
//! (1 tries each one).

use crate::common::*;

fn stride() -> usize {
    std::env::var("ONREADY_KILL_STRIDE").ok().and_then(|text| text.parse().ok()).unwrap_or(41).max(1)
}

/// The command, killed before its call number `call` (of the main thread, of all kinds).
fn killed_at(command: std::process::Command, sandbox: &Sandbox, call: usize) -> std::process::Command {
    let mut strace = sandbox.command("strace");
    strace.args(["-qq", "-o", "/dev/null", "-e", "signal=none", "-e"]);
    // The first is the exec itself.
    strace.arg(format!("inject=all:signal=KILL:when={call}"));
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// Tries each step until one that is beyond the last; returns how many there were.
fn at_each_step(sandbox: &Sandbox, make: impl Fn() -> std::process::Command, mut check: impl FnMut(usize)) -> usize {
    let mut call = 2;
    loop {
        let run = Run::new(killed_at(make(), sandbox, call)).done();
        if run.signal.is_none() && run.code != Some(137) {
            run.expect_code(0);
            check(call);
            return call;
        }
        check(call);
        call += stride();
    }
}

/// Whatever is on record is true, and nothing of the server runs that is not ready.
#[track_caller]
fn is_true(sandbox: &Sandbox, call: usize) {
    // A killed starter's server is killed by the kernel at that moment, but not before it is.
    let since = Instant::now();
    loop {
        let (code, seen) = status(sandbox, "web");
        let running = servers(sandbox);
        let fits = match code {
            0 => running == [number(&seen["pid"])],
            1 | 3 | 4 => running.is_empty(),
            _ => false,
        };
        if fits {
            return;
        }
        assert!(since.elapsed() < LONG, "killed at call {call}: {seen}, running: {:?}", sandbox.processes());
    }
}

#[test]
fn a_start_that_is_killed_leaves_nothing_that_is_in_the_way() {
    if !has("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    let steps = at_each_step(
        &sandbox,
        || start_command(&sandbox, &["-n", "web"], &LISTEN),
        |call| {
            is_true(&sandbox, call);
            ready(&sandbox, &["-n", "web"], &LISTEN);
            assert_eq!(servers(&sandbox).len(), 1, "killed at call {call}");
            stop(&sandbox, "web");
        },
    );
    println!("{steps} calls");
    end_after_kills(sandbox);
}

#[test]
fn a_stop_that_is_killed_can_be_repeated() {
    if !has("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let steps = at_each_step(
        &sandbox,
        || command(&sandbox, &["stop", "web"]),
        |call| {
            // It may be on its way out still.
            stop(&sandbox, "web");
            is_true(&sandbox, call);
            assert_eq!(status(&sandbox, "web").0, 3, "killed at call {call}");
            ready(&sandbox, &["-n", "web"], &LISTEN);
        },
    );
    println!("{steps} calls");
    stop(&sandbox, "web");
    end_after_kills(sandbox);
}

#[test]
fn a_restart_that_is_killed_can_be_repeated() {
    if !has("strace") {
        return;
    }
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let steps = at_each_step(
        &sandbox,
        || command(&sandbox, &["restart", "web"]),
        |call| {
            onready(&sandbox, &["restart", "web"]).expect_code(0);
            is_true(&sandbox, call);
            assert_eq!(status(&sandbox, "web").0, 0, "killed at call {call}");
        },
    );
    println!("{steps} calls");
    stop(&sandbox, "web");
    end_after_kills(sandbox);
}

#[test]
fn kills_at_any_moment_leave_what_is_true() {
    let sandbox = Sandbox::new();
    let mut seed: u64 = std::process::id().into();
    race(|_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let after = Duration::from_micros(seed >> 33 & 0x7fff);
        let words: &[&str] = if seed >> 62 == 0 { &["restart", "web"] } else { &["ensure", "web"] };
        let command = match words[0] {
            "restart" => command(&sandbox, words),
            _ => start_command(&sandbox, words, &LISTEN),
        };
        let run = Run::new(command).start();
        // The moment is what this is about.
        std::thread::sleep(after);
        run.signal("KILL");
        let run = run.done();
        println!("{words:?} killed after {after:?}: {run}");
        is_true(&sandbox, 0);
    });
    ready(&sandbox, &["-n", "web"], &LISTEN);
    stop(&sandbox, "web");
    end_after_kills(sandbox);
}

/// A killed start leaves its notify socket, and a killed writer what it wrote; the next ones are not hindered.
#[track_caller]
fn end_after_kills(sandbox: Sandbox) {
    sandbox.allow("run/onready/*.new").allow("run/onready/**");
    end(sandbox);
}
