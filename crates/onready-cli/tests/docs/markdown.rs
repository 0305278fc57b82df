//! The fenced blocks of a page.

/// A block: what stands behind the fence, and the lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    /// The words after it: for a file its name, for a console the place where it is run.
    pub title: String,
    /// The text.
    pub text: String,
    /// The line of the fence, from 1.
    pub line: usize,
}

/// All blocks of a page, in order.
pub fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in (1..).zip(page.lines()) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let (language, title) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
                let (language, title) = (language.into(), title.into());
                open = Some(Block { language, title, text: String::new(), line: number });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.text += line;
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block without an end");
    blocks
}

#[test]
fn blocks_are_found() {
    let found = blocks("a\n```sh x.sh\necho\n\n```\n```\nplain\n```\n");
    assert_eq!(found.len(), 2);
    let first = &found[0];
    assert_eq!((first.language.as_str(), first.title.as_str(), first.line), ("sh", "x.sh", 2));
    assert_eq!(first.text, "echo\n\n");
}
