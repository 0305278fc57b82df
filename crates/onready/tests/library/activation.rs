//! Socket activation: descriptors that a service manager passed are the server's.

use crate::common::*;

#[test]
fn they_are_passed_on_with_the_server_s_pid() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("a"), "").expect("write");
    std::fs::write(sandbox.path("b"), "").expect("write");
    let setup = Setup::new()
        .inherit_file(&sandbox.path("a"), 3)
        .inherit_file(&sandbox.path("b"), 4)
        .inherit_file(&sandbox.path("a"), 5);
    let line = format!(
        "export LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:admin; exec {} daemonize pid-file=pid log=log enter \
         env=LISTEN_PID env=LISTEN_FDS env=LISTEN_FDNAMES fds=fds say-pid notify stay",
        example("script").display()
    );
    let mut command = sandbox.command("sh");
    command.args(["-c", &line]);
    let run = Run::new(command).setup(setup).done().expect_code(0);
    let pid = pid(&run);
    assert_eq!(run.out(), format!("env={pid}\nenv=2\nenv=web:admin\npid={pid}\n"));
    let server = look_at_with(pid, 6);
    assert_eq!(server.fds.keys().copied().filter(|fd| *fd < 5).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(server.fds[&3].ends_with("/a") && server.fds[&4].ends_with("/b"), "{:?}", server.fds);
    let others: Vec<_> = server.fds.range(5..).map(|(_, target)| target.clone()).collect();
    assert_eq!(others.len(), 1, "the lock, and not the third file: {others:?}");
    assert!(others[0].ends_with("/pid"), "{others:?}");
    stop(pid);
    sandbox.finish();
}

#[test]
fn those_of_another_process_are_not() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("a"), "").expect("write");
    let mut command = server(&sandbox, ["daemonize", "enter", "env=LISTEN_PID", "say-pid", "notify", "stay"]);
    command.env("LISTEN_PID", "1").env("LISTEN_FDS", "1");
    let run = Run::new(command).setup(Setup::new().inherit_file(&sandbox.path("a"), 3)).done().expect_code(0);
    assert_eq!(value(&run.out(), "env"), "1");
    look_at_with(pid(&run), 3);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn more_than_are_open_are_not() {
    let sandbox = Sandbox::new();
    let line = format!(
        "export LISTEN_PID=$$ LISTEN_FDS=4000000000; exec {} daemonize enter say-pid notify stay",
        example("script").display()
    );
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0);
    look_at_with(pid(&run), 3);
    stop(pid(&run));
    sandbox.finish();
}
