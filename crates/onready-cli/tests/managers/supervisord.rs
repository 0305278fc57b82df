//! supervisord: its RUNNING is a timer and no readiness; what it is told of the end is true.

use crate::{LONG, programs};
use std::fs;
use testbed::{Finished, Run, Sandbox, ping};

#[track_caller]
fn ctl(sandbox: &Sandbox, words: &[&str]) -> Finished {
    let mut command = sandbox.command("supervisorctl");
    command.arg("-c").arg(sandbox.path("supervisord.conf")).args(words);
    Run::new(command).limit(LONG).done()
}

#[test]
fn a_library_server_runs_and_is_stopped() {
    let sandbox = Sandbox::new();
    let addr = format!("127.0.0.1:{}", testbed::free_port());
    let (onready, pong) = (programs::onready(), programs::pong());
    let (onready, pong, dir) = (onready.display(), pong.display(), sandbox.path(""));
    let dir = dir.display();
    let text = format!(
        "[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={dir}/supervisord.pid\n\
         [unix_http_server]\nfile={dir}/socket\n[supervisorctl]\nserverurl=unix://{dir}/socket\n\
         [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n\
         [program:web]\ncommand={onready} -n web --foreground -- {pong} --listen {addr}\nautostart=false\n\
         stdout_logfile=NONE\nstderr_logfile=NONE\nexitcodes=143\nautorestart=unexpected\n"
    );
    fs::write(sandbox.path("supervisord.conf"), text).expect("write the configuration");
    let mut command = sandbox.command("supervisord");
    command.arg("-c").arg(sandbox.path("supervisord.conf"));
    let running = Run::new(command).limit(LONG).start();
    testbed::wait_for_path(sandbox.path("socket"), LONG);

    ctl(&sandbox, &["start", "web"]).expect_code(0);
    assert_eq!(ping(&addr).expect("an answer"), "pong\n");
    assert!(ctl(&sandbox, &["status", "web"]).expect_code(0).out().contains("RUNNING"));
    ctl(&sandbox, &["stop", "web"]).expect_code(0);
    assert!(ctl(&sandbox, &["status", "web"]).out().contains("STOPPED"));
    ctl(&sandbox, &["shutdown"]).expect_code(0);
    running.done();
    sandbox.allow("run/onready/**").allow("state/onready/**");
    sandbox.finish();
}
