//! Logs: opened to append, rotated at a start when they are large, and never through a link.

use crate::*;
use onready::verbs::{KEPT, ROTATE_AT, Show, open_logs, show_logs};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, symlink};

fn fill(path: &Path, bytes: u64) {
    std::fs::File::options().write(true).open(path).expect("the log").set_len(bytes).expect("room");
}

#[test]
fn they_are_appended_to_and_may_be_truncated() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("logs/web");
    let mut logs = open_logs(&dir).expect("logs");
    logs.stdout.write_all(b"one\n").expect("write");
    std::fs::write(&logs.stdout_path, "").expect("truncate");
    logs.stdout.write_all(b"two\n").expect("write");
    assert_eq!(std::fs::read_to_string(&logs.stdout_path).expect("read"), "two\n", "no hole where the first was");
    open_logs(&dir).expect("again").stdout.write_all(b"three\n").expect("write");
    assert_eq!(std::fs::read_to_string(&logs.stdout_path).expect("read"), "two\nthree\n");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!((mode(&dir), mode(&logs.stdout_path)), (0o700, 0o600));
    sandbox.finish();
}

#[test]
fn large_ones_are_put_aside_and_the_oldest_go() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("logs/web");
    for number in 0..8 {
        let mut logs = open_logs(&dir).expect("logs");
        logs.mark.note().expect("the mark");
        assert_eq!(std::fs::metadata(&logs.stdout_path).expect("there").len(), 0);
        writeln!(logs.stderr, "run {number}").expect("write");
        fill(&logs.stdout_path, ROTATE_AT + 1);
    }
    let kept = files(&dir);
    let expected = |name: &str| (1..=KEPT).map(|n| format!("{name}.{n}")).chain([name.to_owned()]).collect::<Vec<_>>();
    // When each began is told by its logs alone.
    let mut all = [expected("stdout.log"), expected("stderr.log")].concat();
    all.sort();
    assert_eq!(kept, all);
    let read = |name: &str| std::fs::read_to_string(dir.join(name)).expect("read");
    assert_eq!(
        (read("stderr.log"), read("stderr.log.1"), read("stderr.log.4")),
        ("run 7\n".into(), "run 6\n".into(), "run 3\n".into())
    );

    fill(&dir.join("stdout.log"), ROTATE_AT);
    open_logs(&dir).expect("logs");
    assert_eq!(read("stderr.log"), "run 7\n", "not larger than the limit: not put aside");
    sandbox.finish();
}

#[test]
fn nothing_planted_is_followed() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("elsewhere")).expect("make");
    std::fs::create_dir(sandbox.path("logs")).expect("make");
    symlink(sandbox.path("elsewhere"), sandbox.path("logs/web")).expect("a link");
    let error = open_logs(&sandbox.path("logs/web")).expect_err("a link").to_string();
    assert!(error.contains("log directory") && error.contains("symbolic link"), "{error}");
    std::fs::create_dir(sandbox.path("logs/app")).expect("make");
    symlink(sandbox.path("elsewhere/file"), sandbox.path("logs/app/stderr.log")).expect("a link");
    let error = open_logs(&sandbox.path("logs/app")).expect_err("a link").to_string();
    assert!(error.contains("logs/app/stderr.log"), "{error}");
    std::fs::set_permissions(sandbox.path("logs"), PermissionsExt::from_mode(0o777)).expect("chmod");
    assert!(open_logs(&sandbox.path("logs/other")).is_err(), "others could plant there");
    assert_eq!(files(&sandbox.path("elsewhere")), [""; 0]);
    sandbox.finish();
}

/// What `logs` shows, and our own lines.
fn shown(state: &StateDir, lines: Option<u64>) -> (String, Vec<String>) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let how = Show { lines, ..Show::default() };
    let null = std::fs::File::open("/dev/null").expect("/dev/null");
    let code = show_logs(state, &["web".into()], &how, &mut out, null.as_fd(), &mut |text| notes.push(text.to_owned()));
    assert_eq!(code.expect("shown"), 0);
    (String::from_utf8(out).expect("text"), notes)
}

#[test]
fn starts_are_marked_also_in_logs_that_were_put_aside() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    for run in 0..4 {
        let mut logs = open_logs(&state.log_dir("web")).expect("logs");
        logs.mark.note().expect("the mark");
        writeln!(logs.stdout, "first line of run {run}\nsecond line of run {run}").expect("write");
        if run == 1 {
            let filler = vec![b'x'; usize::try_from(ROTATE_AT + 1).expect("small")];
            logs.stderr.write_all(&filler).expect("write");
        }
        // Starts are told apart by the millisecond.
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(files(&state.log_dir("web")).contains(&"stdout.log.1".into()));
    let (_, notes) = shown(&state, Some(8));
    let marks = notes.iter().filter(|note| note.starts_with("stdout of web, started 2")).count();
    assert_eq!(marks, 4, "{notes:?}");
    let (text, _) = shown(&state, Some(5));
    assert!(text.starts_with("second line of run 1\nfirst line of run 2\n"), "{text}");
    assert!(text.contains("second line of run 3\n"), "{text}");
    sandbox.finish();
}
