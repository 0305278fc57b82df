//! SIGKILL for the launcher: the kernel itself ends a server that is not ready yet.

use crate::common::*;

#[test]
fn no_server_is_left_half_started() {
    let sandbox = Sandbox::new();
    let steps = [
        "daemonize",
        "enter",
        "sh&=trap '' TERM HUP INT; exec sleep 60",
        "ignore=TERM,HUP",
        "pid=server",
        "out=started\\n",
        "stay",
    ];
    let run = Run::new(server(&sandbox, steps)).start();
    run.wait_stdout("started", LONG);
    let everybody: Vec<i32> = sandbox.processes().into_iter().map(|(pid, _)| pid).collect();
    assert_eq!(everybody.len(), 3, "launcher, server, worker");
    run.signal("KILL");
    assert_eq!(run.done().signal, Some(9));
    for pid in everybody {
        assert!(testbed::wait_gone(pid, LONG), "{pid} outlives its launcher");
    }
    sandbox.finish();
}

#[test]
fn at_any_moment() {
    let sandbox = Sandbox::new();
    // From before the exec to after ready; whoever is left must be a server that had said that it is ready.
    for delay in 0..60 {
        let ready = sandbox.path(&format!("ready{delay}"));
        let touch = format!("touch={}", ready.display());
        let run = Run::new(server(&sandbox, ["daemonize", "enter", "notify", &touch, "stay"])).start();
        std::thread::sleep(std::time::Duration::from_micros(delay * 150));
        run.signal("KILL");
        let _ = run.done();
        let left: Vec<i32> = sandbox.processes().into_iter().map(|(pid, _)| pid).collect();
        for pid in left {
            // Either the kernel is at it, or it is ready.
            let ready_or_gone =
                testbed::watch_until(&ready, LONG, || (ready.exists() || !testbed::alive(pid)).then_some(()));
            assert!(ready_or_gone.expect("watch").is_some(), "{pid} is left half started");
        }
        sandbox.kill_all();
    }
    sandbox.finish();
}

#[test]
fn a_ready_server_outlives_its_launcher() {
    let sandbox = Sandbox::new();
    let steps = ["daemonize", "try-enter", "notify", "stay", "launcher", "touch=returned", "stay"];
    let run = Run::new(server(&sandbox, steps)).start();
    testbed::wait_for_path(sandbox.path("returned"), LONG);
    run.signal("KILL");
    let _ = run.done();
    let server = only_process(&sandbox);
    assert!(!testbed::wait_gone(server, std::time::Duration::from_millis(300)), "the switch is off");
    stop(server);
    sandbox.finish();
}
