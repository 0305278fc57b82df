//! Hostile servers that know nothing of onready, or speak sd_notify, started by the program.

use super::{Case, case};

fn long_list() -> Vec<Case> {
    let mut thousand = case("a thousand STATUS messages without a pause", "notify --lenient", &[0]);
    thousand.words.extend((0..1000).map(|n| format!("STATUS=step {n}")));
    thousand.words.push("READY=1".into());
    let mut sizes = case("messages of every size up to 128 KiB", "notify --lenient", &[0]);
    sizes.words.extend(
        (0..=16).flat_map(|power: u32| [(1 << power) - 1, 1 << power, (1 << power) + 1]).chain([131_000]).map(message),
    );
    sizes.words.push("READY=1".into());
    let mut garbage = case("garbage and truncated fields, and no READY=1", "notify --lenient", &[124]);
    garbage.options = &["--until", "notify"];
    let texts = [
        "READY",
        "READY=",
        "=1",
        "READY=0",
        "READY=11",
        "READY=1x",
        " READY=1",
        "XREADY=1",
        "MAINPID=",
        "MAINPID=1",
        "MAINPID=-1",
        "MAINPID=99999999999999999999",
        "EXTEND_TIMEOUT_USEC=-1",
        "EXTEND_TIMEOUT_USEC=",
        "ERRNO=x",
        "STATUS=\u{1b}[2J\u{7}\u{9b}",
        "BARRIER=1\\nREADY=",
        "FDSTORE=1",
        "\\n\\n\\n",
        "RELOADING=1",
        "ready=1",
    ];
    garbage.words.extend(texts.map(str::to_owned));
    vec![thousand, sizes, garbage]
}

fn message(size: usize) -> String {
    format!("X_{}", "=".repeat(size.saturating_sub(2)))
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("output without end", "flood --endless --background -- notify READY=1", &[0]),
        case("30 MB in one line", "flood --stdout 30000000 --one-line -- notify READY=1", &[0]).gives(30_000_000),
        case("binary output", "flood --stdout 3000000 --binary -- notify READY=1", &[0]).gives(3_000_000),
        case("100 MB before ready", "flood --stdout 100000000 -- notify READY=1", &[0]).gives(100_000_000),
        case("100 MB before ready, and the caller does not read", "flood --stdout 100000000 -- notify READY=1", &[0])
            .unread(),
        case("200 children that hold everything open", "crowd --count 200 --seconds 30 -- notify READY=1", &[0]),
        case("200 children, and it fails", "crowd --count 200 --seconds 30 -- exit 3", &[3]),
        case(
            "200 children in sessions of their own, and it fails",
            "crowd --count 200 --seconds 30 --own-session -- exit 3",
            &[3],
        ),
        case("READY from a child", "notify --from-child --child-stays READY=1 -- stay", &[0, 124]),
        case("READY from a child that is dead by then", "notify --from-child READY=1 -- stay", &[0, 124]),
        case("suspended by vfork, and its child says READY", "vfork -- notify READY=1", &[0, 124]),
        case("suspended by vfork, and its child fails", "vfork -- exit 9", &[9]),
        case("closes all descriptors", "close-all --from 0 -- notify READY=1", &[0]),
        case("closes all descriptors and fails", "close-all --from 0 -- exit 4", &[4]),
        case("a session of its own", "session --setsid -- notify READY=1", &[0]),
        case("a group of its own", "session --setpgid -- notify READY=1", &[0]),
        case("another group and user", "session --setgid 65534 --setuid 65534 -- notify READY=1", &[0]),
        case("another user, and it fails", "session --setuid 65534 -- exit 8", &[8]),
        case("renames itself", "rename kworker/0:1 -- notify READY=1", &[0]),
        case("becomes another program", "setup -- sh -c :", &[125]),
        case("becomes another program, which is ready", "setup -- FIXTURE notify READY=1", &[0]),
        case("double fork and a refusal", "daemonize --code 6", &[6]),
        case("double fork and a server that listens", "daemonize --when ready", &[0]),
        case("stops itself", "stop-self -- notify READY=1", &[124]),
        case("stops itself while it listens", "listen --port 0 --background -- stop-self", &[0, 124]),
        case("ignores SIGTERM and is never ready", "ignore TERM,INT,HUP -- notify STATUS=never", &[124]),
        case(
            "its child ignores SIGTERM in another session",
            "crowd --count 3 --own-session -- ignore TERM -- notify STATUS=never",
            &[124],
        ),
        case("exits 0 without a word", "exit 0", &[125]),
        case("dies of SIGSEGV", "die SEGV", &[139]),
        case("closes its streams and stays silent", "close-all --from 0 -- stay", &[124]),
    ];
    cases.extend(long_list());
    for _ in 0..25 {
        cases.push(case("READY and exit 5 in the same instant", "notify READY=1 -- exit 5", &[0, 5]));
        cases.push(case("READY and SIGKILL in the same instant", "notify READY=1 -- die KILL", &[0, 137]));
    }
    cases
}
