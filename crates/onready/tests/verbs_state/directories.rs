//! Which directory is used, and which is refused, and why.

use crate::*;
use std::os::unix::fs::{PermissionsExt, symlink};

fn refusal(path: &Path) -> String {
    let error = StateDir::open(Some(path)).expect_err("not to be used").to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    assert!(error.contains("--state-dir"), "{error}");
    error
}

#[test]
fn it_is_made_for_us_alone() {
    let sandbox = Sandbox::new();
    let path = sandbox.path("a/b/state");
    let state = StateDir::open(Some(&path)).expect("made");
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!((mode(&path), mode(&sandbox.path("a"))), (0o700, 0o700));
    assert_eq!(state.log_dir("web"), path.join("logs/web"));
    let mut claim = state.claim("web").expect("a claim");
    claim.write(&alive("web")).expect("write");
    assert_eq!((mode(&path.join("web.state")), mode(&path.join("web.lock"))), (0o600, 0o600));
    drop(claim);
    sandbox.finish();
}

#[test]
fn what_others_could_have_written_is_refused() {
    let sandbox = Sandbox::new();
    let made = |name: &str, mode| {
        let path = sandbox.path(name);
        std::fs::create_dir(&path).expect("make");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("chmod");
        path
    };
    assert!(refusal(&made("everybody", 0o777)).contains("others may write in it (mode 777)"));
    assert!(refusal(&made("sticky", 0o1777)).contains("others may write in it"));
    assert!(refusal(&made("group", 0o770)).contains("others may write in it"));
    StateDir::open(Some(&made("readable", 0o755))).expect("nobody else may write");

    symlink(made("target", 0o700), sandbox.path("link")).expect("a link");
    assert!(refusal(&sandbox.path("link")).contains("it is a symbolic link"));
    let with_slash = format!("{}/", sandbox.path("link").display());
    assert!(StateDir::open(Some(Path::new(&with_slash))).is_err(), "a slash makes no difference");
    std::fs::write(sandbox.path("file"), "").expect("write");
    assert!(refusal(&sandbox.path("file")).contains("it is not a directory"));
    if rustix::process::geteuid().is_root() {
        let path = made("theirs", 0o700);
        std::os::unix::fs::chown(&path, Some(65534), Some(65534)).expect("chown");
        assert!(refusal(&path).contains("it belongs to another user (uid 65534"), "{}", refusal(&path));
    }
    sandbox.finish();
}

#[test]
fn a_planted_link_or_fifo_is_not_followed() {
    let sandbox = Sandbox::new();
    let state = open(&sandbox);
    std::fs::write(sandbox.path("victim"), "precious").expect("write");
    for name in ["web.state", "web.new", "web.lock"] {
        symlink(sandbox.path("victim"), state.path().join(name)).expect("a link");
        let written = state.claim("web").map(|mut claim| claim.write(&alive("web")));
        // A record or a fresh one is replaced; a lock cannot be.
        assert_eq!(written.is_ok(), name != "web.lock", "{name}");
        assert_eq!(std::fs::read_to_string(sandbox.path("victim")).expect("there"), "precious");
        for left in files(state.path()) {
            std::fs::remove_file(state.path().join(left)).expect("remove");
        }
    }
    let fifo = state.path().join("web.state");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a FIFO");
    assert!(state.read("web").is_err(), "and did not wait for a writer");
    sandbox.finish();
}
