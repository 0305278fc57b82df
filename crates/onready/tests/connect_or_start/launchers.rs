//! `Start::run`: any program that exits 0 when its server is ready.

use crate::*;

#[test]
fn what_a_launcher_leaves_in_the_background_does_not_hold_us_up() {
    let sandbox = Sandbox::new();
    let fixture = testbed::fixture_path();
    // It keeps the streams that the launcher had.
    let start = program(&sandbox, fixture).args(["child", "--leave", "0", "--", "stay"]);
    let since = Instant::now();
    start.run().expect("started");
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    let pid = only_server(&sandbox);
    assert!(testbed::kill(pid) && testbed::wait_gone(pid, LONG));
    sandbox.finish();
}

#[test]
fn what_a_failed_launcher_leaves_is_ended() {
    let sandbox = Sandbox::new();
    let start = program(&sandbox, testbed::fixture_path()).args(["child", "--leave", "3", "--", "ignore", "TERM"]);
    assert_eq!(start.run().expect_err("code 3").exit_code(), 3);
    assert_eq!(sandbox.processes(), []);
    sandbox.finish();
}

#[test]
fn a_launcher_that_closes_its_streams_and_works_on_costs_no_time() {
    let sandbox = Sandbox::new();
    let before = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    program(&sandbox, "sh").args(["-c", "exec >/dev/null 2>&1; sleep 0.5"]).run().expect("it exits 0");
    let after = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let used = Duration::new(after.tv_sec as u64, after.tv_nsec as u32)
        - Duration::new(before.tv_sec as u64, before.tv_nsec as u32);
    assert!(used < Duration::from_millis(400), "{used:?}");
    sandbox.finish();
}

#[test]
fn it_has_the_directory_the_variables_and_nothing_of_ours() {
    let sandbox = Sandbox::new();
    let inherited = std::fs::File::open("/dev/null").expect("a descriptor");
    rustix::io::fcntl_setfd(&inherited, rustix::io::FdFlags::empty()).expect("inherited by whom std starts");
    let line = "pwd; echo $ANSWER; echo ${HOME-none}; ls /proc/self/fd | wc -l; cat";
    let script = format!("({line}) > report 2>&1");
    let start = program(&sandbox, "sh").args(["-c", &script]).env("ANSWER", "42").env_remove("HOME");
    start.run().expect("it exits 0");
    let report = std::fs::read_to_string(sandbox.path("report")).expect("a report");
    let work = std::fs::canonicalize(sandbox.path("")).expect("the directory");
    // ls has its three streams and the directory that it reads.
    assert_eq!(report, format!("{}\n42\nnone\n4\n", work.display()));
    sandbox.finish();
}

#[test]
fn a_relative_program_is_meant_from_its_directory() {
    let sandbox = Sandbox::new();
    let script = sandbox.path("run.sh");
    std::fs::write(&script, "#!/bin/sh\nexit 5\n").expect("write");
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    assert_eq!(program(&sandbox, "./run.sh").run().expect_err("code 5").exit_code(), 5);
    sandbox.finish();
}
