//! What the help and the manual page say beyond the options, in one place.

/// How it is called.
pub const USAGE: &str = "onready [OPTIONS] -- COMMAND [ARG]...\n       onready VERB ...";

/// Below the short help.
pub const AFTER_SHORT_HELP: &str = "\
Ready (WHEN): auto, notify, listen, fd:N, tcp:[HOST:]PORT, unix:PATH, http:URL, file:PATH,
log:REGEX, exec:COMMAND, exit, delay:DURATION. All options, examples and exit codes: --help";

/// Command lines, and what they are for.
pub const EXAMPLES: [(&str, &str); 9] = [
    (
        "onready -- redis-server --port 7777 && redis-cli -p 7777 ping",
        "Start redis in the background; the client comes when it is ready.",
    ),
    ("onready --json -- python3 -m http.server 0", "Let the server take any port, and read it from \"listening\"."),
    (
        "onready --then 'npm test' -- npm run serve",
        "Run the tests while the server runs, then stop it; exit with their code.",
    ),
    (
        "onready -n web -- nginx -g 'daemon off;' && onready status web && onready stop web",
        "Give it a name, and ask and stop it by that.",
    ),
    (
        "onready --until notify --timeout 5m -- mydb --data /srv/db",
        "Wait for READY=1 (sd_notify) of a database that recovers first.",
    ),
    (
        "onready --until http:http://127.0.0.1:8080/health --until file:app.pid -- ./app",
        "Wait for both; with --any, one is enough.",
    ),
    (
        "onready --until 'log:ready to accept' --fail-log FATAL -- ./start.sh",
        "Wait for a line of its output; another one is a failure at once.",
    ),
    ("onready wait --until tcp:db.example:5432 --timeout 1m", "Start nothing; wait until somebody answers there."),
    (
        "onready doctor -- ./app --port 8080",
        "See which signs of readiness it gives, and which flags go by the best one.",
    ),
];

/// Exit codes.
pub const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "ready, stopped, as asked"),
    ("n", "the server's own exit code during its start (0 before it was ready becomes 125)"),
    ("128+n", "it was killed by signal n, or onready was interrupted (130 Ctrl-C, 143 SIGTERM)"),
    ("124", "not ready in time; stopped, unless --on-timeout keep"),
    ("125", "onready itself failed, or the server exited 0 without ever being ready"),
    ("126, 127", "COMMAND cannot be executed, is not found"),
    ("2", "wrong usage"),
    ("69", "already running, where that is an error"),
];

/// Environment variables.
pub const ENVIRONMENT: [(&str, &str); 6] = [
    ("XDG_RUNTIME_DIR", "Names and states are kept in onready/ below it; for root in /run/onready, else in TMPDIR."),
    (
        "XDG_STATE_HOME, HOME",
        "Logs are kept in onready/NAME/ below the first, or ~/.local/state; for root in /var/log.",
    ),
    ("NOTIFY_SOCKET", "Set for the server, which may send READY=1, STATUS=... there; see sd_notify(3)."),
    ("LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES", "Set for the server by --listen; see sd_listen_fds(3)."),
    ("ONREADY_PID, ONREADY_LISTENING", "Set for the command of --then: the server's pid, and its addresses."),
    ("ONREADY_INVOCATION", "Set for the server: by it, all its processes are known again."),
];

fn table(rows: &[(&str, &str)]) -> String {
    rows.iter().map(|(left, right)| format!("  {left:<9} {right}\n")).collect()
}

/// Below the long help.
pub fn after_long_help() -> String {
    let examples: String = EXAMPLES.iter().map(|(line, what)| format!("  {line}\n      {what}\n")).collect();
    format!("Examples:\n{examples}\nExit codes:\n{}", table(&EXIT_CODES)).trim_end().to_owned()
}
