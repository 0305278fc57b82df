//! `onready export`: what is written for other engines means what was started.
#![cfg(target_os = "linux")]

use std::process::Command;
use testbed::{Run, Sandbox, fixture_path, free_port};
use yaml_rust2::{Yaml, YamlLoader};

fn onready(sandbox: &Sandbox) -> Command {
    sandbox.command(env!("CARGO_BIN_EXE_onready"))
}

/// A server called web that answers HTTP, started in an odd environment.
fn start(sandbox: &Sandbox, port: u16, options: &[&str]) {
    let mut command = onready(sandbox);
    let fixture = fixture_path();
    let path = format!("{}:/usr/bin:/bin", fixture.parent().expect("a folder").display());
    command.env("PATH", path).env("ODD", "a \"b\" $(c) 100%").env("TERM", "xterm").env("SSH_AGENT_PID", "1");
    command.args(["--name", "web"]).args(options);
    command.args(["--", "fixture", "listen", "--http", "--port", &port.to_string()]);
    let started = Run::new(command).done();
    assert_eq!(started.code, Some(0), "{}", String::from_utf8_lossy(&started.stderr));
}

fn export(sandbox: &Sandbox, engine: &str) -> String {
    let mut command = onready(sandbox);
    command.args(["export", engine, "web"]);
    let done = Run::new(command).done();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("UTF-8")
}

fn stop(sandbox: &Sandbox) {
    let mut command = onready(sandbox);
    command.args(["stop", "--quiet", "web"]);
    assert_eq!(Run::new(command).done().code, Some(0));
}

/// Stops it and takes away what a name leaves: its record and its logs.
fn end(sandbox: Sandbox) {
    stop(&sandbox);
    sandbox.allow("run/onready/**").allow("state/onready/**");
    sandbox.finish();
}

#[test]
fn a_unit_carries_everything_over() {
    let sandbox = Sandbox::new();
    let port = free_port();
    let tcp = format!("tcp:{port}");
    let log = sandbox.path("web.log");
    let log = log.to_str().expect("UTF-8");
    let rest = ["--timeout", "7s", "--umask", "027", "--nice", "1", "--rlimit", "nofile=500:600", "--log", log];
    start(&sandbox, port, &[&["--until", &tcp, "--env", "MORE=x"], &rest[..]].concat());
    let unit = export(&sandbox, "systemd");
    let program = env!("CARGO_BIN_EXE_onready");
    let fixture = fixture_path();
    let command = format!(
        "{program} --foreground --until {tcp} --timeout 7000ms -- {} listen --http --port {port}",
        fixture.display()
    );
    for line in [
        "Type=notify",
        "NotifyAccess=main",
        &format!("ExecStart={command}"),
        "TimeoutStartSec=7s",
        &format!("WorkingDirectory={}", sandbox.dir().join("work").display()),
        "Environment=\"ODD=a \\\"b\\\" $(c) 100%%\"",
        "Environment=MORE=x",
        "UMask=0027",
        "Nice=1",
        "LimitNOFILE=500:600",
        &format!("StandardOutput=append:{log}"),
        &format!("StandardError=append:{log}"),
    ] {
        assert!(unit.lines().any(|found| found == line), "{line} is not in\n{unit}");
    }
    for of_the_session in ["TERM=", "SSH_AGENT_PID", "XDG_", "NOTIFY_SOCKET", "ONREADY_"] {
        assert!(!unit.contains(of_the_session), "{of_the_session} is in\n{unit}");
    }
    #[cfg(feature = "interop")]
    verified(&sandbox, &unit);
    end(sandbox);
}

/// By systemd's own checker.
#[cfg(feature = "interop")]
fn verified(sandbox: &Sandbox, unit: &str) {
    let file = sandbox.path("web.service");
    std::fs::write(&file, unit).expect("write the unit");
    let mut command = sandbox.command("systemd-analyze");
    command.arg("verify").arg(&file);
    let done = Run::new(command).done();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.code, Some(0), "{said}");
    assert!(!said.contains("web.service"), "{said}");
}

#[test]
fn a_server_that_says_ready_needs_nobody_between() {
    let sandbox = Sandbox::new();
    let mut command = onready(&sandbox);
    command.args(["--name", "web", "--until", "notify", "--"]);
    command.arg(testbed::speaker_path()).args(["notify", "READY=1", "stay"]);
    assert_eq!(Run::new(command).done().code, Some(0));
    let unit = export(&sandbox, "systemd");
    assert!(unit.contains("Type=notify\nNotifyAccess=all\n"), "{unit}");
    let own = format!("ExecStart={} notify READY=1 stay\n", testbed::speaker_path().display());
    assert!(unit.contains(&own), "{unit}");
    end(sandbox);
}

fn at<'a>(yaml: &'a Yaml, path: &str) -> &'a Yaml {
    path.split('.').fold(yaml, |yaml, step| match step.parse::<usize>() {
        Ok(index) => &yaml[index],
        Err(_) => &yaml[step],
    })
}

#[test]
fn a_deployment_has_the_structure_that_kubernetes_wants() {
    let sandbox = Sandbox::new();
    let port = free_port();
    let http = format!("http:http://127.0.0.1:{port}/health?a=b");
    start(&sandbox, port, &["--until", &http, "--timeout", "30s"]);
    let text = export(&sandbox, "kubernetes");
    let documents = YamlLoader::load_from_str(&text).expect("YAML");
    assert_eq!(documents.len(), 1);
    let yaml = &documents[0];
    for (path, value) in [
        ("apiVersion", "apps/v1"),
        ("kind", "Deployment"),
        ("metadata.name", "web"),
        ("spec.selector.matchLabels.app", "web"),
        ("spec.template.metadata.labels.app", "web"),
        ("spec.template.spec.containers.0.name", "web"),
        ("spec.template.spec.containers.0.command.0", "fixture"),
        ("spec.template.spec.containers.0.command.1", "listen"),
        ("spec.template.spec.containers.0.startupProbe.httpGet.path", "/health?a=b"),
        ("spec.template.spec.containers.0.readinessProbe.httpGet.path", "/health?a=b"),
    ] {
        assert_eq!(at(yaml, path).as_str(), Some(value), "{path} in\n{text}");
    }
    let container = at(yaml, "spec.template.spec.containers.0");
    for (path, value) in [
        ("startupProbe.httpGet.port", i64::from(port)),
        ("startupProbe.periodSeconds", 1),
        ("startupProbe.failureThreshold", 30),
        ("readinessProbe.httpGet.port", i64::from(port)),
        ("ports.0.containerPort", i64::from(port)),
    ] {
        assert_eq!(at(container, path).as_i64(), Some(value), "{path} in\n{text}");
    }
    let variables = at(container, "env").as_vec().expect("a list");
    let odd = variables.iter().find(|variable| variable["name"].as_str() == Some("ODD")).expect("ODD");
    assert_eq!(odd["value"].as_str(), Some("a \"b\" $$(c) 100%"), "with $( escaped");
    assert!(variables.iter().all(|variable| variable["name"].as_str() != Some("PATH")), "the image has its own");
    assert!(text.contains("# It listened on a loopback address."), "{text}");
    end(sandbox);
}

/// By Kubernetes' own schemas, strictly: each kind of probe, and none.
#[cfg(feature = "interop")]
#[test]
fn a_deployment_agrees_with_the_schemas_of_kubernetes() {
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_onready"));
    let target = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").exists()).expect("a target directory");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/kubernetes-validator");
    let found = Command::new(script).arg(target).output().expect("run the script");
    if found.status.code() == Some(3) {
        println!("skipped: {}", String::from_utf8_lossy(&found.stderr).trim());
        return;
    }
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let validator = String::from_utf8(found.stdout).expect("a path");

    let sandbox = Sandbox::new();
    let port = free_port();
    let (tcp, http) = (format!("tcp:{port}"), format!("http:http://127.0.0.1:{port}/a?b=200"));
    let code = format!("{http}=200");
    let file = sandbox.path("web.yaml");
    for options in [
        &["--until", &tcp][..],
        &["--until", &http, "--umask", "077", "--group", "0"],
        &["--until", &code, "--timeout", "0"],
        &["--until", "exec:true", "--until", "listen"],
        &["--until", "delay:1ms"],
    ] {
        start(&sandbox, port, options);
        std::fs::write(&file, export(&sandbox, "kubernetes")).expect("write the Deployment");
        let mut command = sandbox.command(validator.trim());
        command.arg("--strict").arg(&file);
        let done = Run::new(command).limit(std::time::Duration::from_secs(60)).done();
        let said = [done.stdout, done.stderr].concat();
        assert_eq!(done.code, Some(0), "{options:?}: {}", String::from_utf8_lossy(&said));
        stop(&sandbox);
    }
    std::fs::write(&file, export(&sandbox, "kubernetes").replace("image:", "imagee:")).expect("write nonsense");
    let mut command = sandbox.command(validator.trim());
    command.arg("--strict").arg(&file);
    let done = Run::new(command).limit(std::time::Duration::from_secs(60)).done();
    assert_eq!(done.code, Some(1), "it would take anything");
    end(sandbox);
}

#[test]
fn a_property_list_is_well_formed_and_says_how_to_wait() {
    let sandbox = Sandbox::new();
    let port = free_port();
    start(&sandbox, port, &["--until", &format!("tcp:{port}"), "--env", "AND=<&>"]);
    let mut command = onready(&sandbox);
    command.args(["export", "launchd", "web"]);
    let done = Run::new(command).done();
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    assert!(text.contains("<key>AND</key>\n    <string>&lt;&amp;&gt;</string>"), "{text}");
    assert!(text.contains(&format!("<string>{}</string>\n    <string>listen</string>", fixture_path().display())));
    let hint = format!("onready wait --until 'tcp:{port}'");
    assert!(String::from_utf8_lossy(&done.stderr).contains(&hint));
    #[cfg(feature = "interop")]
    understood(&sandbox, &text, port);
    end(sandbox);
}

/// By a reader of property lists that is not ours.
#[cfg(feature = "interop")]
fn understood(sandbox: &Sandbox, text: &str, port: u16) {
    let file = sandbox.path("web.plist");
    std::fs::write(&file, text).expect("write the list");
    let script = "import plistlib, sys; p = plistlib.load(open(sys.argv[1], 'rb')); \
                  print(p['Label'], p['ProgramArguments'][1:], p['EnvironmentVariables']['AND'], p['RunAtLoad'])";
    let mut command = sandbox.command("python3");
    command.args(["-I", "-c", script]).arg(&file);
    let done = Run::new(command).done();
    let expected = format!("web ['listen', '--http', '--port', '{port}'] <&> True\n");
    assert_eq!(String::from_utf8_lossy(&done.stdout), expected, "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_service_folder_is_made_by_its_script() {
    let sandbox = Sandbox::new();
    let port = free_port();
    start(&sandbox, port, &["--until", &format!("tcp:{port}")]);
    let script = export(&sandbox, "s6");
    let mut shell = sandbox.command("sh");
    shell.args(["-eu", "-c", &script]);
    assert_eq!(Run::new(shell).done().code, Some(0), "{script}");
    let read = |name: &str| std::fs::read_to_string(sandbox.path("web").join(name)).expect(name);
    assert_eq!(read("notification-fd"), "3\n");
    let run = read("run");
    assert!(run.contains("export ODD='a \"b\" $(c) 100%'\n"), "{run}");
    let work = sandbox.dir().join("work");
    assert!(run.contains(&format!("--chdir {} --foreground --name web --until tcp:{port} ", work.display())), "{run}");
    assert!(read("data/check").ends_with("status --quiet web\n"));
    end(sandbox);
}

/// Under the real s6: down, then up, then ready, and down again.
#[cfg(feature = "interop")]
#[test]
fn s6_says_ready_when_the_server_is() {
    let sandbox = Sandbox::new();
    let port = free_port();
    start(&sandbox, port, &["--until", &format!("tcp:{port}")]);
    let script = export(&sandbox, "s6");
    stop(&sandbox);
    let mut shell = sandbox.command("sh");
    shell.args(["-eu", "-c", &script]);
    assert_eq!(Run::new(shell).done().code, Some(0));

    let mut supervise = sandbox.command("s6-supervise");
    supervise.arg(sandbox.path("web"));
    let supervisor = Run::new(supervise).start();
    testbed::wait_for_path(sandbox.path("web").join("supervise/control"), std::time::Duration::from_secs(10));
    s6(&sandbox, "s6-svwait", &["-U", "-t", "20000"]);
    assert!(testbed::http_get(([127, 0, 0, 1], port).into(), "/").is_ok(), "ready is ready");
    s6(&sandbox, "s6-svc", &["-xd"]);
    assert_eq!(supervisor.done().code, Some(0));
    end(sandbox);
}

#[cfg(feature = "interop")]
fn s6(sandbox: &Sandbox, program: &str, words: &[&str]) {
    let mut command = sandbox.command(program);
    command.args(words).arg(sandbox.path("web"));
    let done = Run::new(command).done();
    assert_eq!(done.code, Some(0), "{program}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn an_unknown_name_is_an_error_of_its_own() {
    let sandbox = Sandbox::new();
    let mut command = onready(&sandbox);
    command.args(["export", "systemd", "nobody"]);
    let done = Run::new(command).done();
    assert_eq!(done.code, Some(4));
    assert_eq!(done.stdout, b"");
    assert!(String::from_utf8_lossy(&done.stderr).contains("no server is called nobody"));
    sandbox.allow("run/onready/**");
    sandbox.finish();
}
