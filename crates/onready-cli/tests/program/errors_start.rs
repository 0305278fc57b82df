//! What cannot be started: the code, the reason, and nothing left.

use crate::common::*;
use std::os::unix::fs::PermissionsExt;

/// A start of any command that fails before anything runs.
#[track_caller]
fn refused(sandbox: &Sandbox, words: &[&str], code: i32, parts: &[&str]) {
    let run = check(Run::new(onready(sandbox, &[&["--json"], words].concat())).done()).expect_code(code);
    let outcome = json(&run);
    assert_eq!(outcome["outcome"], "could not start", "{run}");
    assert_eq!((&outcome["pid"], &outcome["exit_code"]), (&Value::Null, &Value::Null), "{run}");
    assert!(run.err().starts_with("onready: "), "{run}");
    for part in parts {
        assert!(run.err().contains(part), "no {part:?}: {run}");
        assert!(outcome["error"].as_str().expect("an error").contains(part), "{run}");
    }
}

#[test]
fn a_command_that_is_not_found() {
    let sandbox = Sandbox::new();
    let mut command = onready(&sandbox, &["--", "no-such-server"]);
    command.env("PATH", "/nowhere:/bin");
    let run = check(Run::new(command).done()).expect_code(127);
    let said =
        "onready: no-such-server: no-such-server is not found in PATH=/nowhere:/bin; install it, or give its path\n";
    assert_eq!(run.err(), said);
    refused(&sandbox, &["--", "./no-such-server"], 127, &["./no-such-server", "no such file"]);
    refused(&sandbox, &["--", ""], 127, &["empty"]);
    refused(&sandbox, &["--env", "PATH=/nowhere", "--", "sh"], 127, &["PATH=/nowhere"]);
    sandbox.finish();
}

#[test]
fn a_command_that_cannot_be_executed() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("plain"), "x").expect("a file");
    refused(&sandbox, &["--", "./plain"], 126, &["./plain", "permission denied", "chmod +x"]);
    refused(&sandbox, &["--", "/tmp"], 126, &["/tmp", "it is a directory"]);
    std::fs::write(sandbox.path("broken"), "#!/no/such/interpreter\n").expect("a file");
    std::fs::set_permissions(sandbox.path("broken"), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    refused(&sandbox, &["--", "./broken"], 126, &["./broken", "/no/such/interpreter"]);
    std::fs::write(sandbox.path("binary"), b"\x7fELF\x02\x01\x01\0\0\0 and nothing behind it").expect("a file");
    std::fs::set_permissions(sandbox.path("binary"), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    refused(&sandbox, &["--", "./binary"], 126, &["./binary"]);
    sandbox.finish();
}

#[test]
fn a_script_without_an_interpreter_is_run_by_the_shell() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("script"), "echo \"$0 $1\"; exec sleep 60\n").expect("a file");
    std::fs::set_permissions(sandbox.path("script"), std::fs::Permissions::from_mode(0o755)).expect("chmod");
    let run = check(Run::new(onready(&sandbox, &["--until", "log:word", "--", "./script", "a word"])).done());
    let run = run.expect_code(0);
    assert!(run.out().ends_with("script a word\n"), "{run}");
    end(sandbox);
}

#[test]
fn what_is_around_it() {
    let sandbox = Sandbox::new();
    let command = ["--", "true"];
    for (option, value, parts) in [
        ("--chdir", "no/such/folder", &["no/such/folder", "No such file"][..]),
        ("--user", "no-such-user", &["no-such-user"]),
        ("--group", "no-such-group", &["no-such-group"]),
        ("--listen", "nonsense", &["nonsense", "[HOST:]PORT"]),
        ("--listen", "192.0.2.1:80", &["192.0.2.1:80", "assign"]),
        ("--log", "no/such/folder/log", &["no/such/folder/log", "No such file"]),
        ("--stdout", "/tmp", &["/tmp"]),
        ("--pid-file", "no/such/folder/pid", &["no/such/folder/pid"]),
        ("--until", "tcp:no-such-host.invalid:80", &["no-such-host.invalid"]),
        ("--name", "a/b", &["a/b", "slash"]),
        ("--name", "", &["empty"]),
        ("--name", "a\nb", &["control"]),
    ] {
        refused(&sandbox, &[&[option, value], &command[..]].concat(), 125, parts);
    }
    refused(&sandbox, &["--name", &"x".repeat(300), "--", "true"], 125, &["longer than"]);
    let long = format!("unix:/{}", "x".repeat(200));
    refused(&sandbox, &["--until", &long, "--", "true"], 125, &["too long"]);
    refused(&sandbox, &["--until", "fd:3", "--until", "fd:3", "--", "true"], 125, &["descriptor 3", "taken"]);
    refused(&sandbox, &["--listen", "127.0.0.1:0", "--until", "fd:3", "--", "true"], 125, &["descriptor 3", "taken"]);
    sandbox.finish();
}

#[test]
fn a_full_disk_for_the_logs() {
    let sandbox = Sandbox::new();
    let run = start(&sandbox, &["--log", "/dev/full"], &["listen"]);
    // A device is the user's choice; a file system without room is not.
    assert!(run.code == Some(0) || run.err().contains("/dev/full"), "{run}");
    end(sandbox);
    if !is_root("to mount a small file system") {
        return;
    }
    let sandbox = Sandbox::new();
    let own = env!("CARGO_BIN_EXE_onready");
    let line = format!(
        "mkdir small && mount -t tmpfs -o size=16k none small && dd if=/dev/zero of=small/x bs=4k count=8 2>/dev/null; \
         {own} --log small/log -- sleep 60"
    );
    let run = sandbox.run("unshare", ["--mount", "sh", "-c", &line]).expect_code(125);
    assert!(run.err().contains("small/log: No space left on device"), "{run}");
    sandbox.finish();
}

#[test]
fn a_state_directory_that_is_not_to_be_trusted() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("state");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).expect("chmod");
    refused(&sandbox, &["--state-dir", "state", "--", "true"], 125, &["state"]);
    std::os::unix::fs::symlink(&folder, sandbox.path("link")).expect("a link");
    refused(&sandbox, &["--state-dir", "link", "--", "true"], 125, &["link"]);
    sandbox.finish();
}

#[test]
fn no_home_and_no_xdg_variables() {
    let sandbox = Sandbox::new();
    let mut command = start_command(&sandbox, &["--state-dir", "state", "--json"], &["listen"]);
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "TMPDIR", "USER"] {
        command.env_remove(name);
    }
    let run = check(Run::new(command).done()).expect_code(0);
    assert!(json(&run)["stdout"].as_str().expect("a path").contains("/work/state/logs/"), "{run}");
    end(sandbox);
}

#[test]
fn a_caller_whose_directory_is_gone() {
    let sandbox = Sandbox::new();
    let command = start_command(&sandbox, &[], &["listen"]);
    check(Run::new(command).setup(Setup::new().deleted_directory()).done()).expect_code(0);
    end(sandbox);
}
