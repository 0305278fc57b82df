//! Shell scripts that are the sender.

use crate::bed::Bed;
use crate::clients;
use crate::way::Way;

/// A script that starts a server, waits for the line that it prints, and then says this.
fn speaking(bed: &Bed, line: &str) -> Way {
    let text = format!(
        "#!/bin/bash\nexec 4< <(exec python3 -u -m http.server {} --bind {})\nserver=$!\ntrap 'kill $server' TERM\n\
         read -r _ <&4\n{line}\nwait $server\n",
        bed.addr.port(),
        bed.ip()
    );
    Way::new(&bed.script("server", text), "notify")
}

fn check(line: &str, options: &str) {
    let bed = Bed::new();
    speaking(&bed, line).with(options).works(&bed, |_| clients::http(bed.addr));
    bed.finish();
}

#[test]
fn that_say_it_by_onready_notify() {
    check(&format!("{} notify READY=1", env!("CARGO_BIN_EXE_onready")), "--until notify");
}

/// The script cannot be seen to speak by its interpreter, but by its text.
#[test]
fn that_say_it_unasked() {
    check(&format!("{} notify READY=1", env!("CARGO_BIN_EXE_onready")), "");
}

#[test]
fn that_say_it_by_systemd_notify() {
    check("systemd-notify --ready --status=fine", "--until notify");
    check("systemd-notify --ready", "");
}

/// It exits at once: who sent the message is known only as long as it lives, unless it waits.
#[test]
fn that_say_it_by_systemd_notify_without_waiting() {
    check("systemd-notify --ready --no-block", "--until notify");
}
