//! A Deployment for Kubernetes, with the probes that mean the same as the condition of readiness.
//!
//! The startup probe has as long as the start may take, then the readiness probe takes over. A text in quotes is written
//! as JSON writes it, which is YAML.
//!
//! # References
//! Kubernetes: Deployment (apps/v1), "Configure Liveness, Readiness and Startup Probes"

use super::{Refusal, Server};
use crate::when::{HttpSign, Sign, When};
use onready::engine::exit_code;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

/// How often a probe looks, in seconds.
const PERIOD: u64 = 1;
/// A start without a limit may take this long: a day.
const LONGEST: u64 = 24 * 60 * 60;

/// Variables of this machine, which the image has values of its own for.
const OF_THE_MACHINE: [&str; 8] = ["HOME", "HOSTNAME", "LANG", "LOGNAME", "PATH", "SHELL", "TMPDIR", "USER"];

/// The text of `NAME.yaml`.
///
/// # Errors
/// A word of the command or the environment is no UTF-8, or a user is not known.
pub fn deployment(server: &Server) -> Result<Vec<u8>, Refusal> {
    let raw = &server.record.name;
    let name = label(raw);
    let mut yaml = format!(
        "# {raw}.yaml, written by `onready export kubernetes {raw}`. Give the image that holds the command, and look\n\
         # over env: it is the shell's, without what every image has of its own.\n"
    );
    let probe = probe(server)?;
    yaml += &probe.remark;
    yaml += &format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  labels:\n    app: {name}\nspec:\n  \
         replicas: 1\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        \
         app: {name}\n    spec:\n      containers:\n        - name: {name}\n          image: IMAGE\n          command:\n"
    );
    // A name is looked up in the image's PATH, which is not ours.
    let mut command = server.command();
    let typed = server.record.argv.first().filter(|word| !word.to_string_lossy().contains('/'));
    typed.iter().for_each(|typed| command[0].clone_from(typed));
    for word in command {
        yaml += &format!("            - {}\n", text(&word)?);
    }
    yaml += &format!("          workingDir: {}\n", text(server.directory.as_os_str())?);
    let of_the_server = |name: &OsStr| !OF_THE_MACHINE.iter().any(|known| name == *known);
    let given = |name: &OsStr| server.options.special.env.iter().any(|(known, _)| known == name);
    let mut variables = String::new();
    for (name, value) in server.environment.iter().filter(|(name, _)| of_the_server(name) || given(name)) {
        variables += &format!("            - name: {}\n              value: {}\n", text(name)?, text(value)?);
    }
    if !variables.is_empty() {
        yaml += &format!("          env:\n{variables}");
    }
    if let Some(port) = probe.port {
        yaml += &format!("          ports:\n            - containerPort: {port}\n");
    }
    if !probe.yaml.is_empty() {
        let limit = if server.options.timeout.is_zero() { LONGEST } else { server.options.timeout.as_secs().max(1) };
        let probe = &probe.yaml;
        yaml += &format!(
            "          startupProbe:\n{probe}            periodSeconds: {PERIOD}\n            failureThreshold: {limit}\n"
        );
        yaml += &format!("          readinessProbe:\n{probe}            periodSeconds: 10\n");
    }
    yaml += &security(server)?;
    Ok(yaml.into_bytes())
}

/// A probe, ready for its place.
#[derive(Default)]
struct Probe {
    yaml: String,
    port: Option<u16>,
    remark: String,
}

fn probe(server: &Server) -> Result<Probe, Refusal> {
    let signs: Vec<When> = server.signs_from_outside().iter().filter_map(|text| text.parse().ok()).collect();
    let Some(first) = signs.first() else {
        let remark = "# No probe: nothing of this server can be seen from outside. Let it listen, or write a file.\n";
        return Ok(Probe { remark: remark.into(), ..Probe::default() });
    };
    let mut probe = match &first.sign {
        Sign::Tcp { port, .. } => {
            let yaml = format!("            tcpSocket:\n              port: {port}\n");
            Probe { yaml, port: Some(*port), ..Probe::default() }
        }
        Sign::Http(http) => http_get(http),
        Sign::Unix(path) => execute(&["test", "-S", &utf8(path.as_os_str())?]),
        Sign::File(path) => execute(&["test", "-e", &utf8(server.directory.join(path).as_os_str())?]),
        Sign::Exec(command) => execute(&["sh", "-c", &utf8(command)?]),
        _ => Probe::default(),
    };
    if signs.len() > 1 {
        let more: Vec<String> = signs.iter().skip(1).map(ToString::to_string).collect();
        probe.remark += &format!("# A probe looks at one thing: {first}; not at {}.\n", more.join(", "));
    }
    let is_loopback = |text: &String| text.parse().is_ok_and(|address: SocketAddr| address.ip().is_loopback());
    if probe.port.is_some() && server.record.listening.iter().any(is_loopback) {
        probe.remark +=
            "# It listened on a loopback address. Probes and clients come from outside: have it listen on 0.0.0.0.\n";
    }
    Ok(probe)
}

fn http_get(http: &HttpSign) -> Probe {
    let mut remark = String::new();
    if let Some(code) = http.code {
        remark = format!("# A probe takes every answer from 200 to 399 for a yes; {code} cannot be asked for.\n");
    }
    let (path, port) = (quoted(&http.path), http.port);
    let yaml = format!("            httpGet:\n              path: {path}\n              port: {port}\n");
    Probe { yaml, port: Some(port), remark }
}

fn execute(words: &[&str]) -> Probe {
    let lines: String = words.iter().map(|word| format!("                - {}\n", quoted(word))).collect();
    Probe { yaml: format!("            exec:\n              command:\n{lines}"), ..Probe::default() }
}

fn security(server: &Server) -> Result<String, Refusal> {
    let options = &server.options;
    if options.special.user.is_none() && options.special.group.is_none() {
        return Ok(String::new());
    }
    let who = onready::engine::Credentials::look_up(options.special.user.as_deref(), options.special.group.as_deref());
    let who = who.map_err(|error| (error.exit_code(), error.to_string()))?;
    let line = |key: &str, id: Option<u32>| id.map(|id| format!("            {key}: {id}\n")).unwrap_or_default();
    Ok(format!("          securityContext:\n{}{}", line("runAsUser", who.uid), line("runAsGroup", who.gid)))
}

/// What Kubernetes takes for a name: RFC 1123.
fn label(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let kept: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(63).collect();
    let kept = kept.trim_matches('-');
    if kept.is_empty() { "server".into() } else { kept.into() }
}

fn utf8(word: &OsStr) -> Result<String, Refusal> {
    let path = Path::new(word).display();
    word.to_str().map(str::to_owned).ok_or((exit_code::FAILED, format!("{path} is no UTF-8, which YAML must be")))
}

/// A word of the command or of the environment, in which Kubernetes expands $(NAME).
fn text(word: &OsStr) -> Result<String, Refusal> {
    Ok(quoted(&utf8(word)?.replace("$(", "$$(")))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
