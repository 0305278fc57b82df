//! The launcher starts itself again, whatever happens to its file meanwhile.

use crate::common::*;

const STEPS: [&str; 4] = ["enter", "say-pid", "notify", "stay"];

#[test]
fn deleted_while_running() {
    let sandbox = Sandbox::new();
    let program = sandbox.install(&example("script"), "mortal");
    let mut command = sandbox.command(&program);
    command.args(["daemonize", "unlink-me"]).args(STEPS);
    let run = Run::new(command).done().expect_code(0).expect_free();
    assert!(!program.exists());
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn replaced_while_running() {
    let sandbox = Sandbox::new();
    let program = sandbox.install(&example("script"), "upgraded");
    std::fs::copy("/bin/false", sandbox.path("new")).expect("copy");
    let mut command = sandbox.command(&program);
    command.args(["daemonize", "replace-me=new"]).args(STEPS);
    let run = Run::new(command).done().expect_code(0).expect_free();
    assert!(!sandbox.path("new").exists(), "it was replaced");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn a_file_that_is_called_deleted() {
    let sandbox = Sandbox::new();
    let program = sandbox.install(&example("script"), "server (deleted)");
    let mut command = sandbox.command(&program);
    command.arg("daemonize").args(STEPS);
    let run = Run::new(command).done().expect_code(0).expect_free();
    assert_eq!(look_at(pid(&run)).exe, program);
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn through_a_link_the_name_stays() {
    let sandbox = Sandbox::new();
    let link = sandbox.path("called-so");
    std::os::unix::fs::symlink(example("script"), &link).expect("link");
    let mut command = sandbox.command(&link);
    command.arg("daemonize").args(STEPS);
    let run = Run::new(command).done().expect_code(0);
    assert_eq!(look_at(pid(&run)).cmdline[0], link.to_string_lossy());
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn found_by_path() {
    let sandbox = Sandbox::new();
    let program = sandbox.install(&example("script"), "found");
    let folder = program.parent().expect("a folder");
    let mut command = sandbox.command("sh");
    command.args(["-c", "PATH=$1:$PATH; cd /; found daemonize enter say-pid notify stay", "sh"]).arg(folder);
    let run = Run::new(command).done().expect_code(0);
    assert_eq!(look_at(pid(&run)).comm, "found");
    stop(pid(&run));
    sandbox.finish();
}

#[test]
fn not_executable_any_more() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    let program = sandbox.install(&example("script"), "locked");
    let line = format!("exec {} daemonize 'sh=chmod -x {}' enter notify", program.display(), program.display());
    let run = sandbox.run("sh", ["-c", &line]).expect_code(126);
    let said = format!("locked: cannot start {}: Permission denied (os error 13)\n", program.display());
    assert_eq!(run.err(), said);
    assert_eq!(program.metadata().expect("it is there").permissions().mode() & 0o111, 0);
    sandbox.finish();
}
