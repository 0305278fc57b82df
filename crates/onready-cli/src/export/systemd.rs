//! A unit for systemd.
//!
//! # References
//! systemd.service(5), systemd.exec(5), systemd.syntax(7)

use super::Server;
use crate::cli::NotifyAccess;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// The text of `NAME.service`.
pub fn unit(server: &Server) -> Vec<u8> {
    let name = &server.record.name;
    let mut unit = format!(
        "# {name}.service, written by `onready export systemd {name}`. Look over Environment=: it is the shell's.\n\
         # As root: put it into /etc/systemd/system, then: systemctl daemon-reload && systemctl start {name}\n\
         [Unit]\nDescription={}\n\n[Service]\n",
        words(&server.record.argv.iter().map(|word| word.as_os_str()).collect::<Vec<_>>(), false)
    );
    unit += &how_it_starts(server);
    let options = &server.options;
    let timeout = if options.timeout == Duration::ZERO { "infinity".into() } else { seconds(options.timeout) };
    let mut set = |key: &str, value: String| unit += &format!("{key}={value}\n");
    set("TimeoutStartSec", timeout);
    // The path of a directory is taken whole, without quotes.
    set("WorkingDirectory", bare(server.directory.as_os_str()));
    for (name, value) in &server.environment {
        let mut assignment = name.clone();
        assignment.push("=");
        assignment.push(value);
        set("Environment", word(&assignment, false));
    }
    server.user().into_iter().for_each(|user| set("User", user));
    options.special.group.iter().for_each(|group| set("Group", group.clone()));
    options.special.umask.iter().for_each(|mask| set("UMask", format!("{mask:04o}")));
    options.special.nice.iter().for_each(|nice| set("Nice", nice.to_string()));
    options.special.rlimit.iter().for_each(|limit| {
        let bound = |n: u64| if n == u64::MAX { "infinity".into() } else { n.to_string() };
        set(&format!("Limit{}", limit.name.to_uppercase()), format!("{}:{}", bound(limit.soft), bound(limit.hard)));
    });
    let both = options.special.log.as_deref();
    let append = |path: &Path| format!("append:{}", bare(server.directory.join(path).as_os_str()));
    both.or(options.special.stdout.as_deref()).iter().for_each(|path| set("StandardOutput", append(path)));
    both.or(options.special.stderr.as_deref()).iter().for_each(|path| set("StandardError", append(path)));
    unit += "Restart=on-failure\n\n[Install]\nWantedBy=multi-user.target\n";
    unit.into_bytes()
}

/// systemd understands READY=1 and a daemon that forks; for every other sign `onready` waits and says READY=1.
fn how_it_starts(server: &Server) -> String {
    let (command, kind) = if server.needs_us() {
        (server.through_us(None), "notify\nNotifyAccess=main".to_owned())
    } else if server.is_ready_by("notify") {
        let access = if server.options.special.notify_access == NotifyAccess::Main { "main" } else { "all" };
        (server.command(), format!("notify\nNotifyAccess={access}"))
    } else if server.is_ready_by("exit") {
        let pid_file = server.options.special.pid_file.as_ref();
        let pid_file = pid_file.map(|path| format!("\nPIDFile={}", bare(server.directory.join(path).as_os_str())));
        (server.command(), format!("forking{}", pid_file.unwrap_or_default()))
    } else {
        (server.through_us(None), "notify\nNotifyAccess=main".to_owned())
    };
    let command: Vec<&OsStr> = command.iter().map(AsRef::as_ref).collect();
    format!("Type={kind}\nExecStart={}\n", words(&command, true))
}

fn seconds(time: Duration) -> String {
    format!("{}s", time.as_secs_f64())
}

fn words(all: &[&OsStr], is_command: bool) -> String {
    all.iter().map(|text| word(text, is_command)).collect::<Vec<_>>().join(" ")
}

/// A word of a list. `%` begins a specifier everywhere, `$` a variable in a command only.
fn word(text: &OsStr, is_command: bool) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:=,@+".contains(byte);
    if !text.is_empty() && text.as_bytes().iter().all(plain) {
        return text.to_string_lossy().into_owned();
    }
    let mut quoted = String::from("\"");
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', byte.into()]),
            b'%' => quoted += "%%",
            b'$' if is_command => quoted += "$$",
            b' '..=b'~' => quoted.push(byte.into()),
            _ => quoted += &format!("\\x{byte:02x}"),
        }
    }
    quoted + "\""
}

/// A path that is the whole value.
fn bare(path: &OsStr) -> String {
    path.to_string_lossy().replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_systemds_reading() {
        for (text, command, other) in [
            ("plain", "plain", "plain"),
            ("", "\"\"", "\"\""),
            ("two words", "\"two words\"", "\"two words\""),
            ("100% $HOME", "\"100%% $$HOME\"", "\"100%% $HOME\""),
            ("a\"b\\c\n", "\"a\\\"b\\\\c\\x0a\"", "\"a\\\"b\\\\c\\x0a\""),
            ("ü", "\"\\xc3\\xbc\"", "\"\\xc3\\xbc\""),
            (";", "\";\"", "\";\""),
        ] {
            assert_eq!(word(text.as_ref(), true), command, "{text}");
            assert_eq!(word(text.as_ref(), false), other, "{text}");
        }
    }
}
