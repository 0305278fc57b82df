//! A reused pid, a reboot, another pid namespace: never taken for the server.

use crate::common::*;

/// What is on record, changed by hand.
fn change_record(sandbox: &Sandbox, from: &str, to: &str) {
    let path = state_path(sandbox).join("web.state");
    let bytes = std::fs::read(&path).expect("a record");
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert!(text.contains(from), "no {from} in {text}");
    std::fs::write(&path, text.replace(from, to)).expect("write");
}

/// The server that runs is not the one on record: nothing may happen to it.
#[track_caller]
fn is_left_alone(sandbox: &Sandbox, pid: i32, code: i32) {
    let (seen, what) = status(sandbox, "web");
    assert_eq!((seen, &what["pid"]), (code, &Value::Null), "{what}");
    let answer = stop(sandbox, "web");
    assert_eq!(answer["outcome"], "not running", "{answer}");
    assert!(testbed::alive(pid), "it was another one's pid");
}

#[test]
fn after_a_reboot_everything_is_stopped() {
    let sandbox = Sandbox::new();
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("a boot id");
    change_record(&sandbox, boot.trim(), "00000000-0000-0000-0000-000000000000");
    is_left_alone(&sandbox, pid, 3);
    assert_eq!(status(&sandbox, "web").1["state"], "stopped");
    // The name is free.
    let second = ready(&sandbox, &["-n", "web"], &LISTEN);
    assert_ne!(second, pid);
    stop(&sandbox, "web");
    assert_eq!(sandbox.kill_all(), 1);
    end(sandbox);
}

#[test]
fn a_server_in_another_pid_namespace_is_not_ours_to_stop() {
    if !is_root("a pid namespace") || !has("unshare") {
        return;
    }
    let sandbox = Sandbox::new();
    let inside = |words: &[&str]| {
        let mut unshare = sandbox.command("unshare");
        unshare.args(["--pid", "--fork", "--mount-proc"]).arg(program()).args(words);
        unshare
    };
    let pid = ready(&sandbox, &["-n", "web"], &LISTEN);
    let run = Run::new(inside(&["status", "--json", "web"])).done().expect_code(3);
    assert_eq!(json(&run)["state"], "stopped");
    let run = Run::new(inside(&["stop", "--json", "web"])).done().expect_code(0);
    assert_eq!(json(&run)["outcome"], "not running");
    assert_eq!(servers(&sandbox), [pid]);
    assert_eq!(status(&sandbox, "web").0, 0, "from here it is seen as before");
    stop(&sandbox, "web");
    end(sandbox);
}

/// In a pid namespace of its own: the server is killed, and its pid is given to somebody else.
const REUSE: &str = r#"
set -e
onready=$1 fixture=$2
pid=$($onready --json -n web -- $fixture listen | sed 's/.*"pid":\([0-9]*\).*/\1/')
kill -9 $pid
while kill -0 $pid 2>/dev/null; do :; done
for try in 1 2 3 4 5 6 7 8 9 10; do
    echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
    sleep 60 & other=$!
    test $other = $pid && break
    kill $other
done
test $other = $pid || { echo "the pid was not reused"; exit 77; }
set +e
$onready status web > /dev/null; echo "status=$?"
$onready stop --json web; echo "stop=$?"
kill -0 $other && echo "alive"
$onready --json -n web -- $fixture listen > /dev/null; echo "start=$?"
$onready stop -q web; echo "stop=$?"
kill -0 $other && echo "alive"
kill $other
"#;

#[test]
fn a_reused_pid_is_never_signalled() {
    if !is_root("a pid namespace") || !has("unshare") {
        return;
    }
    let sandbox = Sandbox::new();
    for _ in 0..3 {
        let mut command = sandbox.command("unshare");
        command.args(["--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", REUSE, "sh"]);
        command.arg(program()).arg(testbed::fixture_path());
        let run = Run::new(command).done().expect_code(0);
        let lines: Vec<String> = run.out().lines().map(str::to_owned).collect();
        let said: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.starts_with('{')).collect();
        assert_eq!(said, ["status=1", "stop=0", "alive", "start=0", "stop=0", "alive"], "{run}");
        assert!(run.out().contains("\"outcome\":\"not running\""), "{run}");
    }
    end(sandbox);
}
