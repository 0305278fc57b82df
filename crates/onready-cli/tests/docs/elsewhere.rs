//! Recipes for machines that are not here: their files are read, and their commands are run.

use crate::console::Bench;
use crate::markdown::blocks;
use crate::read;
use testbed::Run;
use yaml_rust2::{Yaml, YamlLoader};

/// Tried by scripts/check-packages.
const INSTALL: &str = "cargo install --path crates/onready-cli";

fn file(name: &str) -> String {
    file_of("docs/RECIPES.md", name)
}

fn file_of(page: &str, name: &str) -> String {
    let page = blocks(&read(page));
    page.into_iter().find(|block| block.title == name).unwrap_or_else(|| panic!("no {name}")).text
}

fn yaml(name: &str) -> Yaml {
    let mut documents = YamlLoader::load_from_str(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    documents.remove(0)
}

fn texts(list: &Yaml) -> Vec<String> {
    list.as_vec().expect("a list").iter().map(|item| item.as_str().expect("a text").to_owned()).collect()
}

/// One after the other, each in a shell of its own, as a runner does it.
#[track_caller]
fn run_all(commands: &[String]) {
    let bench = Bench::new();
    let work = bench.sandbox().dir().join("work");
    for command in commands {
        let done = Run::new(bench.shell(&work, &bench.text(command))).done();
        assert_eq!(done.code, Some(0), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(done.eof, "{command} leaves a stream open, and the step would not end");
    }
    bench.end();
}

#[test]
fn github_actions() {
    let workflow = yaml("github.yml");
    let steps = workflow["jobs"]["test"]["steps"].as_vec().expect("steps");
    let usual = steps.iter().filter(|step| step["if"].is_badvalue()).filter_map(|step| step["run"].as_str());
    let (install, usual): (Vec<_>, Vec<_>) = usual.map(str::to_owned).partition(|run| run.starts_with("cargo install"));
    assert_eq!(install, [INSTALL]);
    assert_eq!(usual.len(), 3);
    run_all(&usual);
}

#[test]
fn gitlab() {
    let job = yaml("gitlab.yml");
    assert_eq!(texts(&job["test"]["before_script"]), [INSTALL]);
    run_all(&[texts(&job["test"]["script"]), texts(&job["test"]["after_script"])].concat());
}

#[test]
fn docker() {
    let dockerfile = file("Dockerfile");
    let words = |key: &str| -> Vec<String> {
        let line = dockerfile.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        serde_json::from_str(line).expect("a list in JSON")
    };
    let bench = Bench::new();
    let all = [words("ENTRYPOINT"), words("CMD")].concat();
    let quoted: Vec<String> = all.iter().map(|word| format!("'{}'", bench.text(word))).collect();
    let work = bench.sandbox().dir().join("work");
    let port: u16 = bench.text("8080").parse().expect("a port");
    // `docker run`, a client once it serves, `docker stop`.
    let script =
        format!("{} & onready wait --until tcp:{port} && kill -TERM $! && wait $!; test $? = 143", quoted.join(" "));
    let done = Run::new(bench.shell(&work, &script)).done();
    assert_eq!(done.code, Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    bench.end();
}

#[test]
fn just() {
    let commands: Vec<String> =
        file("justfile").lines().filter_map(|line| line.strip_prefix("    ")).map(str::to_owned).collect();
    assert_eq!(commands.len(), 1);
    run_all(&commands);
}

/// By systemd's own checker, with programs of this machine; that such units do their work is tested under a real systemd
/// (tests/managers/systemd.rs).
#[test]
fn units() {
    let bench = Bench::new();
    let server = testbed::fixture_path().display().to_string();
    for name in ["my-server.service", "quiet-server.service"] {
        let unit = file_of("docs/WHEN-NOT-TO-DAEMONIZE.md", name);
        let unit = unit.replace("/usr/bin/my-server", &server).replace("/usr/bin/quiet-server", &server);
        let unit = unit.replace("/usr/bin/onready", env!("CARGO_BIN_EXE_onready"));
        let path = bench.sandbox().path(name);
        std::fs::write(&path, unit).expect("write the unit");
        let done = Run::new(bench.shell(&bench.sandbox().path(""), &format!("systemd-analyze verify ./{name}"))).done();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.code == Some(0) && !said.contains(name), "{name}: {said}");
    }
    bench.end();
}

/// The project's own workflow does nothing but call .ci/run.
#[test]
fn our_own_workflow() {
    let workflow = YamlLoader::load_from_str(&read(".github/workflows/ci.yml")).expect("YAML").remove(0);
    let steps = workflow["jobs"]["everything"]["steps"].as_vec().expect("steps");
    assert!(steps.iter().any(|step| step["run"].as_str() == Some(".ci/run")));
}
