//! A property list for launchd, which knows nothing of readiness: it starts a server and keeps it alive.
//!
//! # References
//! launchd.plist(5)

use super::{Refusal, Server};
use onready::engine::exit_code;
use std::ffi::OsStr;
use std::path::Path;

/// The text of `NAME.plist`.
///
/// # Errors
/// A word of the command or the environment is no UTF-8, as a property list must be.
pub fn plist(server: &Server) -> Result<Vec<u8>, Refusal> {
    let name = &server.record.name;
    let mut body = String::new();
    let mut set = |key: &str, value: String| body += &format!("  <key>{}</key>\n  {value}\n", escaped(key));
    set("Label", string(name));
    // launchd takes a program that puts itself into the background for one that has ended.
    let command =
        if server.is_ready_by("exit") || server.needs_us() { server.through_us(None) } else { server.command() };
    let words = command.iter().map(|word| text(word).map(|word| string(&word))).collect::<Result<Vec<_>, _>>()?;
    set("ProgramArguments", format!("<array>\n    {}\n  </array>", words.join("\n    ")));
    let mut variables = String::new();
    for (name, value) in &server.environment {
        variables += &format!("\n    <key>{}</key>\n    {}", escaped(&text(name)?), string(&text(value)?));
    }
    set("EnvironmentVariables", format!("<dict>{variables}\n  </dict>"));
    set("WorkingDirectory", string(&text(server.directory.as_os_str())?));
    let options = &server.options;
    options.special.user.iter().for_each(|user| set("UserName", string(user)));
    options.special.group.iter().for_each(|group| set("GroupName", string(group)));
    options.special.umask.iter().for_each(|mask| set("Umask", format!("<integer>{mask}</integer>")));
    options.special.nice.iter().for_each(|nice| set("Nice", format!("<integer>{nice}</integer>")));
    let both = options.special.log.as_deref();
    let path = |path: &Path| text(server.directory.join(path).as_os_str()).map(|path| string(&path));
    if let Some(out) = both.or(options.special.stdout.as_deref()) {
        set("StandardOutPath", path(out)?);
    }
    if let Some(err) = both.or(options.special.stderr.as_deref()) {
        set("StandardErrorPath", path(err)?);
    }
    set("RunAtLoad", "<true/>".into());
    set("KeepAlive", "<dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>".into());
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <!-- {name}.plist, written by onready. Look over EnvironmentVariables: it is the shell's. -->\n\
         <plist version=\"1.0\">\n<dict>\n{body}</dict>\n</plist>\n"
    )
    .into_bytes())
}

/// What is to be known besides the file.
pub fn remark(server: &Server) -> String {
    let wait: Vec<String> = server.signs_from_outside().iter().map(|sign| format!(" --until '{sign}'")).collect();
    let name = &server.record.name;
    let then = match wait.is_empty() {
        true => "nothing of this server can be seen from outside; let it listen, or write a file".to_owned(),
        false => format!("wait with: onready wait{}", wait.concat()),
    };
    format!("launchd knows no readiness. After launchctl bootstrap gui/$UID {name}.plist {then}")
}

fn text(word: &OsStr) -> Result<String, Refusal> {
    let refused =
        || (exit_code::FAILED, format!("{} is no UTF-8, which a property list must be", word.to_string_lossy()));
    word.to_str().map(str::to_owned).ok_or_else(refused)
}

fn string(text: &str) -> String {
    format!("<string>{}</string>", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
