//! Hostile servers with the library in them: what they do between `enter` and `notify`, or instead of it.

use super::{Case, case};

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        case("output without end", "flood --endless --background -- ready", &[0]),
        case("30 MB in one line", "flood --stdout 30000000 --one-line -- ready", &[0]).gives(30_000_000),
        case("binary output", "flood --stdout 3000000 --binary -- ready", &[0]).gives(3_000_000),
        case("100 MB before ready", "flood --stdout 100000000 -- ready", &[0]).gives(100_000_000),
        case("100 MB before ready, and the caller does not read", "flood --stdout 100000000 -- ready", &[0]).unread(),
        case("200 children that hold everything open", "crowd --count 200 --seconds 30 -- ready", &[0]),
        case("200 children, and it fails", "crowd --count 200 --seconds 30 -- exit 3", &[3]),
        case(
            "200 children in sessions of their own, and it fails",
            "crowd --count 200 --seconds 30 --own-session -- exit 3",
            &[3],
        ),
        case("a thousand STATUS messages without a pause", "status --times 1000 -- ready", &[0]),
        case("garbage on the channel, and then READY", "mutter -- ready", &[0]),
        case("garbage on the channel, and no READY", "mutter -- stay", &[124]),
        case("READY from a child that was forked", "ready-in-a-fork -- stay", &[0, 124]),
        case("lets go of the channel and stays", "let-go -- stay", &[124, 125]),
        case("suspended by vfork, and its child says READY", "vfork -- ready", &[0, 124]),
        case("closes all descriptors and says READY", "close-all --from 0 -- ready", &[70, 125]),
        case("closes all descriptors and fails", "close-all --from 0 -- exit 4", &[4]),
        case("closes all descriptors and stays", "close-all --from 0 -- stay", &[124, 125]),
        case("a session of its own", "session --setsid -- ready", &[0]),
        case("a group of its own", "session --setpgid -- ready", &[0]),
        case("another group and user", "session --setgid 65534 --setuid 65534 -- ready", &[0]),
        case("renames itself", "rename kworker/0:1 -- ready", &[0]),
        case("becomes another program", "setup -- sh -c :", &[125]),
        case("becomes another program that stays", "setup -- FIXTURE stay", &[124, 125]),
        case("double fork and a refusal", "daemonize --code 6", &[6]),
        case("double fork, and the first exits 0", "daemonize --when ready", &[125]),
        case("stops itself", "stop-self -- ready", &[124]),
        case("ignores SIGTERM and is never ready", "ignore TERM,INT,HUP -- stay", &[124]),
        case("exits 0 without a word", "exit 0", &[125]),
        case("dies of SIGSEGV", "die SEGV", &[139]),
    ];
    for _ in 0..25 {
        cases.push(case("READY and exit 5 in the same instant", "ready -- exit 5", &[0, 5]));
        cases.push(case("READY and SIGKILL in the same instant", "ready -- die KILL", &[0, 137]));
    }
    cases
}
