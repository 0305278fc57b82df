//! A launcher that lives on: as it was before, whatever came of the start.

use crate::common::*;

/// Starts a launcher that lives on, waits until it has the outcome, and looks at it.
#[track_caller]
fn launcher(sandbox: &Sandbox, setup: Setup, server_steps: &[&str]) -> (testbed::Running, Process, String) {
    let steps = [&["daemonize"], server_steps, &["launcher", "subreaper", "touch=returned", "stay"]].concat();
    let run = Run::new(server(sandbox, steps)).setup(setup.close_others()).start();
    testbed::wait_for_path(sandbox.path("returned"), LONG);
    // The file of the last step may still be on its way to be closed.
    let seen = look_at_with(run.pid(), 3);
    // What it printed before that file may still be in the pipe: who reads it is another thread.
    let out = run.wait_stdout("subreaper=", LONG);
    (run, seen, out)
}

fn children(pid: i32) -> Vec<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("read");
    text.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect()
}

#[track_caller]
fn is_as_before(launcher: &Process) {
    for signal in ["INT", "TERM", "HUP", "CHLD"] {
        assert!(!launcher.catches(signal), "SIG{signal} is caught");
    }
    let sigpipe = testbed::signal_bit("PIPE");
    assert_eq!(launcher.ignored & !sigpipe, testbed::signal_bit("HUP"), "{:x}", launcher.ignored);
    assert_eq!(launcher.blocked, testbed::signal_bit("USR1") | testbed::signal_bit("TERM"), "{:x}", launcher.blocked);
    assert_eq!(launcher.threads, 1);
    assert_eq!(launcher.fds.keys().copied().collect::<Vec<_>>(), [0, 1, 2], "nothing of ours stays open");
}

#[test]
fn a_success() {
    let sandbox = Sandbox::new();
    let setup = Setup::new().ignore("HUP").block("USR1,TERM");
    let steps = ["try-enter", "statuses=1000", "pid=server", "notify", "stay"];
    let (run, launcher, out) = launcher(&sandbox, setup, &steps);
    let server: i32 = value(&testbed::wait_for_file(sandbox.path("server"), LONG), "pid").parse().expect("a pid");
    assert_eq!(out, format!("started pid={server} status=Some(\"step 999 of many\") quick=true\nsubreaper=false\n"));
    is_as_before(&launcher);
    assert_eq!(children(launcher.pid), [server]);
    run.signal("KILL");
    let _ = run.done();
    stop(server);
    sandbox.finish();
}

#[test]
fn a_failure() {
    let sandbox = Sandbox::new();
    let setup = Setup::new().ignore("HUP").block("USR1,TERM");
    let (run, launcher, out) = launcher(&sandbox, setup, &["try-enter", "sh&=exec sleep 60", "exit=3"]);
    let said = "error code=3 text=the server exited with code 3 before it was ready\nsubreaper=false\n";
    assert_eq!(out, said);
    is_as_before(&launcher);
    assert_eq!(children(launcher.pid), [], "no zombie");
    run.signal("KILL");
    let _ = run.done();
    sandbox.finish();
}

#[test]
fn a_time_out() {
    let sandbox = Sandbox::new();
    let (run, launcher, out) = launcher(&sandbox, Setup::new(), &["timeout=200", "try-enter", "stay"]);
    assert!(out.starts_with("error code=124 text=the server was not ready within 200 ms and was stopped\n"), "{out}");
    assert_eq!(children(launcher.pid), [], "no zombie");
    run.signal("KILL");
    let _ = run.done();
    sandbox.finish();
}

#[test]
fn one_that_left_its_group_and_lost_its_parent() {
    let sandbox = Sandbox::new();
    let line = format!(
        "sh={} child --setsid --leave 0 -- pid-file {}",
        testbed::fixture_path().display(),
        sandbox.path("worker").display()
    );
    let (run, launcher, _) = launcher(&sandbox, Setup::new(), &["try-enter", &line, "wait-for=worker", "exit=3"]);
    assert_eq!(only_process(&sandbox), launcher.pid);
    run.signal("KILL");
    let _ = run.done();
    sandbox.finish();
}

#[test]
fn a_foreground_server_is_a_server() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["try-enter", "is-daemon", "notify", "exit=0"])).done().expect_code(0);
    assert_eq!(run.out(), "is_daemon=false\n");
    sandbox.finish();
}

#[test]
fn from_two_threads_at_once() {
    let sandbox = Sandbox::new();
    for _ in 0..5 {
        let run = Run::new(server(&sandbox, ["daemonize", "two-at-once", "touch=returned", "stay"])).start();
        testbed::wait_for_path(sandbox.path("returned"), LONG);
        let launcher = look_at(run.pid());
        let mut children = children(launcher.pid);
        children.sort_unstable();
        for child in &children {
            run.wait_stdout(&format!("started {child}\n"), LONG);
        }
        let out = String::from_utf8_lossy(&run.so_far(Stream::Stdout)).into_owned();
        let mut started: Vec<i32> =
            out.lines().filter_map(|line| line.strip_prefix("started ")?.parse().ok()).collect();
        started.sort_unstable();
        assert_eq!((started.len(), &started), (2, &children), "{out}");
        for signal in ["INT", "TERM", "HUP"] {
            assert!(!launcher.catches(signal) && !launcher.ignores(signal), "SIG{signal} is as before");
        }
        run.signal("INT");
        assert_eq!(run.done().signal, Some(2));
        started.into_iter().for_each(stop);
        std::fs::remove_file(sandbox.path("returned")).expect("remove");
    }
    sandbox.finish();
}

#[test]
fn ctrl_c_reaches_two_launchers_of_one_process() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "if-server", "out=up\\n", "if-server", "stay", "two-at-once"];
    let run = Run::new(server(&sandbox, steps)).start();
    run.wait_stdout("up\nup\n", LONG);
    run.signal("INT");
    let run = run.done();
    assert_eq!(run.out().matches("error interrupted by SIGINT").count(), 2, "{run}");
    sandbox.finish();
}
