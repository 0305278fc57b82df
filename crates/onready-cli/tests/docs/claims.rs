//! A page that claims something names the test that shows it: `[...](path.rs "name_of_the_test")`.

use crate::{all_pages, read, root};
use std::path::PathBuf;

/// Pages whose every claim is linked.
const PAGES: [&str; 2] = ["docs/COMPARE.md", "SECURITY.md"];

/// The links to Rust files: the path as the page writes it, and the title.
fn links(page: &str) -> Vec<(String, String)> {
    let targets = page.split("](").skip(1).filter_map(|after| after.split_once(')')).map(|(target, _)| target);
    let with_title = targets.filter_map(|target| target.split_once(" \""));
    with_title.map(|(path, title)| (path.into(), title.trim_end_matches('"').into())).collect()
}

#[test]
fn every_named_test_exists() {
    for page in PAGES {
        let links = links(&read(page));
        assert!(links.len() > 5, "{page} links {} tests", links.len());
        let folder = root().join(page).parent().map(PathBuf::from).unwrap_or_default();
        for (path, name) in links {
            let file = folder.join(&path);
            let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{page}: {path}: {error}"));
            assert!(text.contains(&format!("fn {name}(")), "{page}: there is no test {name} in {path}");
        }
    }
}

#[test]
fn every_yes_of_ours_is_linked() {
    let page = read("docs/COMPARE.md");
    let rows = page.lines().filter(|line| line.starts_with('|') && line.matches('|').count() > 8);
    let mut seen = 0;
    for row in rows {
        let ours = row.split(" | ").nth(1).unwrap_or_default().trim();
        assert!(!ours.starts_with("yes"), "a bare yes in {row}");
        seen += usize::from(ours.starts_with("[yes"));
    }
    assert!(seen >= 10, "only {seen} rows with a linked yes");
}

/// Links inside the repository lead somewhere.
#[test]
fn no_link_is_dead() {
    for page in all_pages().iter().map(|name| root().join(name)) {
        let text = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let targets = text.split("](").skip(1).filter_map(|after| after.split([')', ' ', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            let file = page.parent().expect("a folder").join(target);
            assert!(file.exists(), "{}: {target} does not exist", page.display());
        }
    }
}

/// The words of the commands of ours that stand in a line of text, between backticks.
fn commands_in_text(page: &str) -> Vec<Vec<String>> {
    let mut in_block = false;
    let mut found = Vec::new();
    for line in page.lines() {
        in_block ^= line.starts_with("```");
        let spans = line.split('`').skip(1).step_by(2).filter(|_| !in_block);
        let ours = spans.filter_map(|span| span.strip_prefix("onready "));
        // In a table of what is here what elsewhere, ours is on the right, and a start is meant.
        let right = line.strip_prefix('|').and_then(|row| row.trim_end().trim_end_matches('|').rsplit('|').next());
        let options = right.filter(|_| page.contains("| onready |\n")).into_iter();
        let options = options.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|span| span.starts_with("--"));
        // What is behind `--` is somebody else's.
        let ours = ours.chain(options).map(|span| format!(" {span} "));
        let ours = ours.map(|span| span.split(" -- ").next().unwrap_or_default().to_owned());
        found.extend(ours.map(|span| span.split_whitespace().map(String::from).collect()));
    }
    found
}

/// The verbs and options that the text names are there.
#[test]
fn every_option_named_in_the_text_exists() {
    let help = |verb: Option<&str>| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onready"));
        let done = command.args(verb).arg("--help").output().expect("run the program");
        done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
    };
    let start = help(None).expect("the help");
    let mut seen = 0;
    for name in all_pages() {
        for words in commands_in_text(&read(&name)) {
            let verb = words.first().filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
            let text = match verb {
                Some(verb) => help(Some(verb)).unwrap_or_else(|| panic!("{name}: there is no verb {verb}: {words:?}")),
                None => start.clone(),
            };
            let options = words.iter().filter_map(|word| word.split('=').next()).filter(|word| word.starts_with("--"));
            for option in options {
                let known = text.split([' ', ',', '\n', '[', '=']).any(|word| word == option);
                assert!(known, "{name}: `onready {}` has an unknown {option}", words.join(" "));
                seen += 1;
            }
        }
    }
    assert!(seen >= 10, "only {seen}");
}
