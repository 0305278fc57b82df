//! `stop`: the real end of everything, by a schedule, and nobody else's.

use crate::common::*;

fn signals(answer: &Value) -> Vec<String> {
    let list = answer["signals"].as_array().expect("a list");
    list.iter().map(|signal| signal.as_str().expect("a name").to_owned()).collect()
}

#[test]
fn it_returns_at_the_real_end() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &["on-term", "--after-ms", "400", "--", "listen"]);
    let since = Instant::now();
    let answer = stop(&sandbox, "web");
    assert!(!testbed::alive(pid));
    assert!(since.elapsed() >= Duration::from_millis(400), "{answer}");
    assert_eq!((&answer["outcome"], &answer["pid"]), (&"stopped".into(), &pid.into()));
    assert_eq!(signals(&answer), ["SIGTERM"]);
    assert_eq!(status(&sandbox, "web").0, 3);
    end(sandbox);
}

#[test]
fn once_more_is_success_and_an_unknown_name_is_not() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let run = onready(&sandbox, &["stop", "web"]).expect_code(0);
    assert!(run.err().starts_with("onready: web is stopped (pid "), "{run}");
    assert_eq!(run.out(), "");
    let run = onready(&sandbox, &["stop", "web"]).expect_code(0);
    assert_eq!(run.err(), "onready: web was not running\n");
    assert_eq!(onready(&sandbox, &["stop", "-q", "web"]).expect_code(0).err(), "");
    let run = onready(&sandbox, &["stop", "web", "nobody"]).expect_code(4);
    assert!(run.err().contains("onready: no server is called nobody\n"), "{run}");
    end(sandbox);
}

#[test]
fn who_ignores_sigterm_gets_the_next_signal_of_the_schedule() {
    let sandbox = Sandbox::new();
    for (retry, sent) in [
        ("200ms", vec!["SIGTERM", "SIGKILL"]),
        ("TERM/0.1/INT/100ms/KILL/5", vec!["SIGTERM", "SIGINT", "SIGKILL"]),
        ("-9", vec!["SIGKILL"]),
    ] {
        ready(&sandbox, &["-n", "web"], &["ignore", "TERM,INT", "--", "listen"]);
        let run = onready(&sandbox, &["stop", "--json", &format!("--retry={retry}"), "web"]).expect_code(0);
        assert_eq!(signals(&json(&run)), sent);
    }
    end(sandbox);
}

#[test]
fn a_schedule_that_comes_to_its_end_tells_who_is_left() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &["ignore", "TERM", "--", "listen"]);
    let run = onready(&sandbox, &["stop", "--retry", "TERM/100ms", "web"]).expect_code(125);
    assert_eq!(run.err(), format!("onready: web is still running after SIGTERM: fixture (pid {pid})\n"));
    assert_eq!(status(&sandbox, "web").0, 0, "it runs and is ready, as before");
    onready(&sandbox, &["stop", "--retry", "KILL", "web"]).expect_code(0);
    end(sandbox);
}

#[test]
fn a_schedule_that_is_none_is_a_usage_error() {
    let sandbox = Sandbox::new();
    ready(&sandbox, &["-n", "web"], &LISTEN);
    let run = onready(&sandbox, &["stop", "--retry", "TERM/KILL", "web"]).expect_code(2);
    assert!(run.err().contains("--retry") && run.err().contains("TERM/10s/KILL/5s"), "{run}");
    assert_eq!(status(&sandbox, "web").0, 0);
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_stopped_process_is_ended_too() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    testbed::send_signal(pid, "STOP");
    let answer = stop(&sandbox, "web");
    assert_eq!(signals(&answer), ["SIGTERM"], "{answer}");
    end(sandbox);
}

#[test]
fn the_group_and_the_descendants_that_left_it_are_ended() {
    let sandbox = Sandbox::new();
    let words = [
        "crowd",
        "--count",
        "5",
        "--seconds",
        "50",
        "--",
        "child",
        "--setsid",
        "--count",
        "2",
        "--",
        "child",
        "--setpgid",
        "--",
        "listen",
    ];
    ready(&sandbox, &["-n", "web"], &words);
    // The main one, five in its group, two sessions with a group in each.
    assert!(servers(&sandbox).len() >= 10, "{:?}", sandbox.processes());
    let answer = stop(&sandbox, "web");
    assert_eq!(answer["escaped"], Value::Array(Vec::new()), "{answer}");
    end(sandbox);
}

#[test]
fn what_has_escaped_is_told_and_left_alone() {
    let sandbox = Sandbox::new();
    // Its parent is gone and its session is its own: nothing but its environment tells whose it is.
    let words = ["child", "--leave", "0", "--setsid", "--null", "--", "stay"];
    let line = format!(
        "{} {} && exec {} listen",
        testbed::fixture_path().display(),
        words.join(" "),
        testbed::fixture_path().display()
    );
    let run = onready(&sandbox, &["--json", "-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    let main = number(&json(&run)["pid"]);
    let run = onready(&sandbox, &["stop", "web"]).expect_code(0);
    let left = servers(&sandbox);
    assert_eq!(left.len(), 1, "{:?}", sandbox.processes());
    assert_ne!(left[0], main);
    let told = format!("onready: web has left processes that went their own way: fixture (pid {})\n", left[0]);
    assert!(run.err().ends_with(&told), "{run}");
    sandbox.kill_all();
    end(sandbox);
}

#[test]
fn several_are_stopped_side_by_side() {
    let sandbox = Sandbox::new();
    let names = ["a", "b", "c", "d", "e", "f"];
    for name in names {
        ready(&sandbox, &["-n", name], &["on-term", "--after-ms", "1500", "--", "listen"]);
    }
    let since = Instant::now();
    let run = onready(&sandbox, &[&["stop", "--json"], &names[..], &["a"]].concat()).expect_code(0);
    let took = since.elapsed();
    assert!(took < Duration::from_millis(4 * 1500), "one after the other takes 9 s, this took {took:?}");
    let answers: Vec<Value> = run.out().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let order: Vec<&str> = answers.iter().map(|answer| answer["name"].as_str().expect("a name")).collect();
    assert_eq!(order, names, "in the order asked for, each once");
    end(sandbox);
}

#[test]
fn two_who_stop_the_same_do_not_wait_for_each_other_for_ever() {
    let sandbox = Sandbox::new();
    race(|_| {
        ready(&sandbox, &["-n", "a"], &LISTEN);
        ready(&sandbox, &["-n", "b"], &LISTEN);
        let one = Run::new(command(&sandbox, &["stop", "a", "b"])).start();
        let other = Run::new(command(&sandbox, &["stop", "b", "a"])).start();
        one.done().expect_code(0);
        other.done().expect_code(0);
        assert_eq!(servers(&sandbox), NONE);
    });
    end(sandbox);
}

#[test]
fn one_that_is_being_started_is_stopped_and_its_starter_says_so() {
    let sandbox = Sandbox::new();
    let starter = Run::new(start_command(&sandbox, &["-n", "web"], &["listen", "--after-ms", "50000"])).start();
    wait_for_state(&sandbox, "web", "starting");
    let run = onready(&sandbox, &["stop", "web"]).expect_code(0);
    assert!(run.err().contains("web is stopped"), "{run}");
    let starter = starter.done().expect_code(143);
    assert!(starter.err().contains("was killed by SIGTERM before it was ready"), "{starter}");
    assert_eq!(status(&sandbox, "web").0, 3);
    end(sandbox);
}

#[test]
fn what_a_dead_server_has_left_is_ended() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &["crowd", "--count", "3", "--seconds", "50", "--", "listen"]);
    testbed::kill(pid);
    assert!(testbed::wait_gone(pid, LONG));
    let (code, seen) = status(&sandbox, "web");
    assert_eq!((code, &seen["state"], &seen["pid"]), (1, &"dead".into(), &Value::Null));
    assert_eq!(servers(&sandbox).len(), 3);
    stop(&sandbox, "web");
    assert_eq!(servers(&sandbox), NONE);
    assert_eq!(status(&sandbox, "web").0, 3);
    end(sandbox);
}

#[test]
fn what_a_dead_server_has_left_is_ended_before_it_is_started_again() {
    let sandbox = Sandbox::new();
    let words = ["crowd", "--count", "3", "--seconds", "50", "--", "listen"];
    let pid = ready(&sandbox, &["-n", "web"], &words);
    let left: Vec<i32> = servers(&sandbox).into_iter().filter(|server| *server != pid).collect();
    testbed::kill(pid);
    assert!(testbed::wait_gone(pid, LONG));
    ready(&sandbox, &["-n", "web"], &words);
    assert!(left.iter().all(|pid| !testbed::alive(*pid)), "{left:?} {:?}", sandbox.processes());
    stop(&sandbox, "web");
    end(sandbox);
}

#[test]
fn a_server_may_stop_itself_by_name() {
    let sandbox = Sandbox::new();
    let line = format!(
        "{} listen & until test -e go; do sleep 0.02; done; {} stop web; echo $? > told",
        testbed::fixture_path().display(),
        program().display()
    );
    onready(&sandbox, &["-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    std::fs::write(sandbox.path("go"), "").expect("write");
    wait_for_state(&sandbox, "web", "stopped");
    assert!(!sandbox.path("told").exists(), "the shell was stopped with the rest");
    end(sandbox);
}

#[test]
fn a_forking_crowd_is_caught() {
    let sandbox = Sandbox::new();
    // Each starts its successor and ends: no look at the processes sees them all.
    let line = format!("trap '' TERM; {} listen & while :; do sleep 0.001 & done", testbed::fixture_path().display());
    onready(&sandbox, &["-n", "web", "--", "sh", "-c", &line]).expect_code(0);
    let answer = json(&onready(&sandbox, &["stop", "--json", "--retry", "100ms", "web"]).expect_code(0));
    assert_eq!(signals(&answer), ["SIGTERM", "SIGKILL"]);
    assert_eq!(servers(&sandbox), NONE);
    end(sandbox);
}
