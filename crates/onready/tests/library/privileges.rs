//! Privileges are dropped inside `notify`.

use crate::common::*;

fn nobody() -> (u32, u32) {
    let users = std::fs::read_to_string("/etc/passwd").expect("read");
    let entry = users.lines().find(|line| line.starts_with("nobody:")).expect("there is a nobody").to_owned();
    let fields: Vec<&str> = entry.split(':').collect();
    (fields[2].parse().expect("a uid"), fields[3].parse().expect("a gid"))
}

#[test]
fn the_server_becomes_the_user_with_that_user_s_groups() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let (uid, gid) = nobody();
    let run = daemonize(&sandbox, &["user=nobody", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at(pid(&run));
    assert_eq!((server.uids, server.gids), ([uid; 4], [gid; 4]));
    assert_eq!(server.groups, [gid], "none of root's groups");
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn what_needs_privileges_can_be_had_before() {
    if !is_root("to bind port 80") {
        return;
    }
    let sandbox = Sandbox::new();
    // In a network of its own, where port 80 is free.
    let line = format!(
        "ip link set lo up 2>/dev/null; exec {} daemonize user=nobody enter bind=127.0.0.1:80 touch=/root-only open={} say-pid notify stay",
        example("script").display(),
        sandbox.path("secret").display()
    )
    .replace(" touch=/root-only", "");
    let run = sandbox.run("unshare", ["--net", "sh", "-c", &line]).expect_code(0);
    let server = look_at_with(pid(&run), 5); // listener and file stay open
    assert_ne!(server.uids[0], 0);
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn another_group() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let run =
        daemonize(&sandbox, &["user=nobody", "group=daemon", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at(pid(&run));
    assert_eq!((server.uids[1], server.gids), (nobody().0, [1; 4]));
    stop(server.pid);
    let run = daemonize(&sandbox, &["group=daemon", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at(pid(&run));
    assert_eq!((server.uids, server.gids, server.groups.clone()), ([0; 4], [1; 4], vec![1]));
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn a_user_by_number() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["user=64998", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = look_at(pid(&run));
    assert_eq!((server.uids, server.gids, server.groups.clone()), ([64998; 4], [64998; 4], vec![64998]));
    stop(server.pid);
    sandbox.finish();
}

#[test]
fn all_threads_change() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["user=nobody", "tokio", "enter", "say-pid", "notify", "stay"]).expect_code(0);
    let server = pid(&run);
    let mut threads = 0;
    for thread in std::fs::read_dir(format!("/proc/{server}/task")).expect("read").flatten() {
        let status = std::fs::read_to_string(thread.path().join("status")).expect("read");
        let uids = status.lines().find(|line| line.starts_with("Uid:")).expect("a line").to_owned();
        let uid = nobody().0.to_string();
        assert_eq!(uids.split_whitespace().skip(1).collect::<Vec<_>>(), [uid.as_str(); 4]);
        threads += 1;
    }
    assert!(threads > 3, "the runtime has many: {threads}");
    stop(server);
    sandbox.finish();
}

#[test]
fn a_worker_thread_may_notify_too() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let run =
        daemonize(&sandbox, &["user=nobody", "tokio", "enter", "say-pid", "notify-in-task", "stay"]).expect_code(0);
    assert_eq!(look_at(pid(&run)).uids, [nobody().0; 4]);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn pid_file_and_log_are_opened_before() {
    if !is_root("to become another user") {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let sandbox = Sandbox::new();
    let steps = ["user=nobody", "pid-file=pid", "log=log", "enter", "say-pid", "notify", "out=later", "stay"];
    let run = daemonize(&sandbox, &steps).expect_code(0);
    testbed::wait_for_text(sandbox.path("log"), "later", LONG);
    assert_eq!(sandbox.path("pid").metadata().expect("it is there").uid(), 0);
    let second = daemonize(&sandbox, &steps).expect_code(69);
    assert!(second.err().contains(&format!("already running (pid {}, pid)", pid(&run))), "{second}");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn nobody_by_that_name() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["user=no-such-user", "pid-file=pid", "enter", "notify"]).expect_code(125);
    assert_eq!(run.err(), "script: cannot become user no-such-user: there is no such user\n");
    assert!(!sandbox.path("pid").exists(), "nothing has happened");
    let run = daemonize(&sandbox, &["group=no-such-group", "enter", "notify"]).expect_code(125);
    assert_eq!(run.err(), "script: cannot become group no-such-group: there is no such group\n");
    sandbox.finish();
}

#[test]
fn who_may_not_change_fails() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may change");
        return;
    }
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["user=root", "enter", "notify", "stay"]);
    assert_ne!(run.code, Some(0));
    assert!(run.err().contains("cannot become user root"), "{run}");
    sandbox.finish();
}

#[test]
fn in_the_foreground_too() {
    if !is_root("to become another user") {
        return;
    }
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["user=nobody", "enter", "notify", "out=up\\n", "stay"])).start();
    run.wait_stdout("up", LONG);
    assert_eq!(look_at(run.pid()).uids, [nobody().0; 4]);
    run.signal("TERM");
    let _ = run.done();
    sandbox.finish();
}
