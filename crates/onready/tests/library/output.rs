//! Start-up output reaches the caller, byte for byte, each stream in order.

use crate::common::*;
use testbed::flood::{Kind, first_difference};

#[test]
fn all_bytes_in_order_on_both_streams() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "lines=2000", "notify", "stay"]).expect_code(0);
    let lines = |name| (0..2000).map(|n| format!("{name} {n}\n")).collect::<String>();
    assert_eq!(run.out(), lines("out"));
    assert_eq!(run.err(), lines("err"));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn a_hundred_megabytes() {
    const SIZE: usize = 100_000_000;
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", &format!("flood={SIZE}"), "flood-err=1000000", "notify", "stay"]);
    let run = run.expect_code(0);
    assert_eq!((run.stdout.len(), run.stderr.len()), (SIZE, 1_000_000));
    assert_eq!(first_difference(&run.stdout, Stream::Stdout, Kind::Binary), None);
    assert_eq!(first_difference(&run.stderr, Stream::Stderr, Kind::Binary), None);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn all_of_it_before_a_failure() {
    const SIZE: usize = 5_000_000;
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", &format!("flood={SIZE}"), "exit=3"]).expect_code(3);
    assert_eq!(run.stdout.len(), SIZE);
    assert_eq!(first_difference(&run.stdout, Stream::Stdout, Kind::Binary), None);
    sandbox.finish();
}

#[test]
fn half_a_line_is_carried_as_it_is() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "out=loading", "err=...", "notify", "stay"]).expect_code(0);
    assert_eq!((run.out().as_str(), run.err().as_str()), ("loading", "..."));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn what_rust_and_c_keep_in_their_buffers_comes_before_ready() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["enter", "print=from rust;", "c-print=from c;", "notify", "stay"]).expect_code(0);
    let out = run.out();
    assert!(out.contains("from rust;") && out.contains("from c;"), "{out:?}");
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn it_comes_while_the_server_still_starts() {
    let sandbox = Sandbox::new();
    let run = Run::new(server(&sandbox, ["daemonize", "enter", "out=one\\n", "wait-for=go", "notify", "stay"])).start();
    run.wait_stdout("one\n", LONG);
    std::fs::write(sandbox.path("go"), "").expect("say go");
    let _ = run.done().expect_code(0);
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn what_the_launcher_s_part_of_main_has_printed_comes_first() {
    let sandbox = Sandbox::new();
    let run = daemonize(&sandbox, &["print=before;", "c-print=enter;", "enter", "out=after", "notify", "stay"]);
    let run = run.expect_code(0);
    // Everything before `enter` is done by both processes: GOTCHAS, "main runs twice".
    assert_eq!(run.out(), "before;enter;after".replace("after", "afterbefore;enter;"));
    stop(only_process(&sandbox));
    sandbox.finish();
}

#[test]
fn command_substitution_returns_at_ready_though_a_worker_holds_stdout() {
    let sandbox = Sandbox::new();
    let line = format!(
        "out=$({} daemonize enter 'sh&=exec sleep 60' 'out=up' notify stay); echo \"<$out>\"",
        example("script").display()
    );
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0).expect_free();
    assert_eq!(run.out(), "<up>\n");
    assert!(run.exited_at < AT_ONCE, "{run}");
    assert_eq!(sandbox.kill_all(), 2);
    sandbox.finish();
}

#[test]
fn a_pipe_to_cat_ends_at_ready_though_a_worker_holds_stdout() {
    let sandbox = Sandbox::new();
    let line = format!(
        "{} daemonize enter 'sh&=exec sleep 60' 'out=up\\n' notify stay 2>&1 | cat",
        example("script").display()
    );
    let run = sandbox.run("sh", ["-c", &line]).expect_code(0).expect_free();
    assert_eq!(run.out(), "up\n");
    assert!(run.exited_at < AT_ONCE, "{run}");
    assert_eq!(sandbox.kill_all(), 2);
    sandbox.finish();
}

#[test]
fn both_streams_into_one_file_at_its_end() {
    let sandbox = Sandbox::new();
    let line =
        format!("echo first >all; {} daemonize enter out=a err=b notify stay >>all 2>&1", example("script").display());
    let _ = sandbox.run("sh", ["-c", &line]).expect_code(0);
    let all = std::fs::read_to_string(sandbox.path("all")).expect("read what was written");
    assert!(all == "first\nab" || all == "first\nba", "{all:?}");
    stop(only_process(&sandbox));
    sandbox.finish();
}
