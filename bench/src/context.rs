//! Where the programs are, how often each is started, and how everything is put back between two starts.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bench::children::Children;
use bench::shot::Line;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Options;

/// Starts of a side before any is counted.
const WARM_UP: usize = 3;

/// What every figure needs.
pub struct Context {
    programs: PathBuf,
    reference: PathBuf,
    scratch: PathBuf,
    /// Few and small: see that everything runs, not how fast.
    pub smoke: bool,
    runs: Option<usize>,
    children: RefCell<Children>,
}

/// One side of a comparison: does the thing once, returns a number.
pub type Side<'a> = &'a mut dyn FnMut() -> io::Result<f64>;

impl Context {
    pub fn new(options: &Options) -> io::Result<Self> {
        let limit = getrlimit(Resource::Nofile);
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
        fs::create_dir_all(&options.scratch)?;
        Ok(Self {
            programs: options.programs.clone(),
            reference: options.reference.clone(),
            scratch: options.scratch.clone(),
            smoke: options.smoke,
            runs: options.runs,
            children: RefCell::new(Children::adopt()?),
        })
    }

    /// `usual` in a full run, a few in a smoke run, what was asked for with `--runs`.
    pub fn runs(&self, usual: usize) -> usize {
        self.runs.unwrap_or(if self.smoke { usual.div_ceil(20).max(3) } else { usual })
    }

    /// `full`, or `small` in a smoke run.
    pub fn size(&self, full: usize, small: usize) -> usize {
        if self.smoke { small } else { full }
    }

    /// A path for something that a figure leaves behind.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// A program of the workspace, which may not be there.
    pub fn program(&self, name: &str) -> io::Result<PathBuf> {
        existing(self.programs.join(name))
    }

    /// The example server.
    pub fn pong(&self) -> io::Result<PathBuf> {
        existing(self.programs.join("pong"))
    }

    /// `server --daemonize`.
    pub fn library(&self) -> io::Result<Line> {
        Ok(Line::new(self.pong()?)?.args(["--daemonize", "--listen", "127.0.0.1:0"]))
    }

    /// `onready`, with its state in a folder of this run.
    pub fn onready(&self) -> io::Result<Line> {
        self.onready_in(&self.state())
    }

    /// `onready` with its state in `state`.
    pub fn onready_in(&self, state: &Path) -> io::Result<Line> {
        Ok(Line::new(self.program("onready")?)?.args([Path::new("--state-dir"), state]))
    }

    /// Our own state folder, emptied by [`Context::clean`].
    pub fn state(&self) -> PathBuf {
        self.scratch("state")
    }

    /// The C launcher, waiting for a byte on `descriptor` of what it starts.
    pub fn reference(&self, descriptor: i32) -> io::Result<Line> {
        Ok(Line::new(existing(self.reference.join("reference"))?)?.args([descriptor.to_string()]))
    }

    /// Another small C program beside the reference.
    pub fn tool(&self, name: &str) -> io::Result<PathBuf> {
        existing(self.reference.join(name))
    }

    /// End what was started and forget what was recorded; returns how many processes there were.
    pub fn clean(&self) -> io::Result<usize> {
        let ended = self.children.borrow().end()?;
        empty(&self.state())?;
        empty(&self.scratch("xdg-state"))?;
        Ok(ended)
    }

    /// The same line, if a first start succeeds and leaves a server: exit code 0 alone proves nothing.
    pub fn tried(&self, mut line: Line) -> io::Result<Line> {
        let shot = line.shoot();
        let ended = self.clean()?;
        match shot {
            Ok(_) if ended == 0 => Err(io::Error::other(format!("{:?} said 0 and left no server", line.command()))),
            Ok(_) => Ok(line),
            Err(error) => Err(error),
        }
    }

    /// Let everything that runs now survive [`Context::clean`].
    pub fn keep_present(&self) -> io::Result<()> {
        self.children.borrow_mut().keep_present()
    }

    /// End even what was kept.
    pub fn end_all(&self) -> io::Result<()> {
        self.children.borrow_mut().end_all()?;
        Ok(())
    }

    /// A B B A A B B A ...: all sides in turn, so that whatever disturbs the machine disturbs them alike.
    pub fn alternate(&self, runs: usize, sides: &mut [Side]) -> io::Result<Vec<Vec<f64>>> {
        let mut values = vec![Vec::with_capacity(runs); sides.len()];
        for round in 0..WARM_UP + runs {
            for turn in 0..sides.len() {
                let side = if round % 2 == 0 { turn } else { sides.len() - 1 - turn };
                let value = sides[side]();
                self.clean()?;
                let value = value?;
                if round >= WARM_UP {
                    values[side].push(value);
                }
            }
        }
        Ok(values)
    }
}

fn existing(path: PathBuf) -> io::Result<PathBuf> {
    match path.try_exists()? {
        true => Ok(path),
        false => Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has not been built", path.display()))),
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}
