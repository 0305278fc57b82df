//! A page that claims something names the test that shows it: `[...](path.rs "name_of_the_test")`.

use crate::{read, root};
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
    let pages = std::fs::read_dir(root().join("docs")).expect("docs").flatten().map(|entry| entry.path());
    let pages = pages.filter(|path| path.extension().is_some_and(|end| end == "md"));
    let top = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"]
        .map(|name| root().join(name));
    for page in pages.chain(top) {
        let text = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let targets = text.split("](").skip(1).filter_map(|after| after.split([')', ' ', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            let file = page.parent().expect("a folder").join(target);
            assert!(file.exists(), "{}: {target} does not exist", page.display());
        }
    }
}
