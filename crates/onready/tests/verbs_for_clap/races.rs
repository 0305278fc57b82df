//! Many at once, and killed ones.

use crate::*;
use std::process::Stdio;

/// Again and again, for as long as `ONREADY_RACE_SECONDS` says (2).
fn race(mut round: impl FnMut(u64)) {
    let seconds = std::env::var("ONREADY_RACE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    let since = Instant::now();
    for number in 0.. {
        round(number);
        if since.elapsed() >= Duration::from_secs(seconds) {
            println!("{} rounds", number + 1);
            return;
        }
    }
}

#[test]
fn of_many_who_start_it_one_does() {
    let sandbox = Sandbox::new();
    race(|_| {
        let start = |_| {
            let mut command = command(&sandbox, &[&START[..], &["--json"]].concat());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start it")
        };
        let all: Vec<_> = (0..20).map(start).collect();
        let mut pids = Vec::new();
        for launcher in all {
            let output = launcher.wait_with_output().expect("its end");
            assert!(output.status.success(), "{output:?}");
            let outcome: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            pids.push(number(&outcome["pid"]));
        }
        pids.dedup();
        assert_eq!(servers(&sandbox), pids);
        run(&sandbox, &["stop"]).expect_code(0);
    });
    end(sandbox);
}

#[test]
fn a_launcher_that_is_killed_at_any_moment_leaves_what_is_true() {
    let sandbox = Sandbox::new();
    race(|number| {
        let launcher = Run::new(command(&sandbox, &START)).start();
        // The moment is what this is about.
        std::thread::sleep(Duration::from_micros(number * 997 % 12_000));
        launcher.signal("KILL");
        launcher.done();
        let since = Instant::now();
        loop {
            let (code, seen) = status(&sandbox);
            let running = servers(&sandbox);
            let fits = match code {
                0 => running == [crate::number(&seen["pid"])],
                1 | 3 | 4 => running.is_empty(),
                _ => false,
            };
            if fits {
                break;
            }
            assert!(since.elapsed() < LONG, "{seen}, running: {:?}", sandbox.processes());
        }
    });
    run(&sandbox, &START).expect_code(0);
    assert_eq!(servers(&sandbox).len(), 1);
    run(&sandbox, &["stop"]).expect_code(0);
    sandbox.allow("run/onready/*.new");
    end(sandbox);
}
