//! From `--until` to the sources that give the signs.

use crate::recipe::Blueprint;
use crate::until::{
    Auto, By, Delay, Endpoint, Exec, FdLine, FileSign, Http, Listen, Matcher, NotifySign, Remark, SocketSign, Whose,
};
use crate::when::{Sign, When};
use crate::world::{SharedFamily, SharedWorld};
use onready::engine::Source;
use regex::bytes::Regex;
use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

/// All conditions of a start.
#[derive(Default)]
pub struct Conditions {
    /// Those that are asked by the loop, with what they wait for.
    pub sources: Vec<Box<dyn Source>>,
    /// Those that lines of the output decide.
    pub matchers: Vec<Matcher>,
    /// Descriptors that the server is to have.
    pub descriptors: Vec<(OwnedFd, i32)>,
    /// The number of `exit`, if it is asked for.
    pub exit: Option<usize>,
    /// Whether a command that puts itself into the background is followed.
    pub follows: bool,
    names: Vec<Name>,
    remarks: Vec<Remark>,
}

/// What `ready_by` says of a condition.
enum Name {
    Text(String),
    Auto(Rc<Cell<By>>),
}

impl Conditions {
    /// One more, which somebody else sees to; its number is the next.
    pub fn also(&mut self, name: String) {
        self.names.push(Name::Text(name));
    }

    /// What the conditions have to say about why they do not hold.
    pub fn remarks(&self) -> Vec<String> {
        self.remarks.iter().filter_map(|remark| remark.borrow().clone()).collect()
    }

    fn remark(&mut self) -> Remark {
        let remark = Remark::default();
        self.remarks.push(Rc::clone(&remark));
        remark
    }

    /// What the given signs are called.
    pub fn given(&self, given: &[bool]) -> Vec<String> {
        let names = self.names.iter().zip(given).filter(|(_, given)| **given);
        names
            .map(|(name, _)| match name {
                Name::Text(text) => text.clone(),
                Name::Auto(by) => by.get().name().into(),
            })
            .collect()
    }

    /// What is still waited for.
    pub fn missing(&self, given: &[bool]) -> Vec<String> {
        let names = self.names.iter().zip(given).filter(|(_, given)| !**given);
        names
            .map(|(name, _)| match name {
                Name::Text(text) => text.clone(),
                Name::Auto(_) => "auto".into(),
            })
            .collect()
    }
}

/// What conditions stand on.
pub struct Ground<'a> {
    /// Whose listeners count.
    pub whose: Whose,
    /// What is about to be executed, if anything is.
    pub blueprint: Option<&'a Blueprint>,
    /// What is seen of the server.
    pub world: &'a SharedWorld,
    /// Its processes; what a condition starts itself is none of them.
    pub family: &'a SharedFamily,
    /// Where relative paths begin.
    pub here: &'a Path,
}

/// Makes the conditions; what must not be true before a start is looked at now.
///
/// # Errors
/// A stranger listens where the server is to, a host is unknown, or two want one descriptor.
pub fn prepare(until: &[When], fail_log: &[Regex], ground: &Ground<'_>) -> Result<Conditions, String> {
    let mut all = Conditions::default();
    for (sign, when) in until.iter().enumerate() {
        let source = source(sign, when, &mut all, ground)?;
        all.sources.extend(source);
        if !matches!(when.sign, Sign::Auto) {
            all.names.push(Name::Text(when.to_string()));
        }
    }
    all.matchers.extend(fail_log.iter().cloned().map(Matcher::failure));
    Ok(all)
}

fn source(
    sign: usize,
    when: &When,
    all: &mut Conditions,
    ground: &Ground<'_>,
) -> Result<Option<Box<dyn Source>>, String> {
    let (world, whose) = (ground.world.clone(), ground.whose);
    Ok(Some(match &when.sign {
        Sign::Auto => {
            let by = Rc::new(Cell::new(By::Nothing));
            all.names.push(Name::Auto(Rc::clone(&by)));
            all.follows = true;
            Box::new(Auto::new(sign, world, by))
        }
        Sign::Notify => Box::new(NotifySign { sign, world }),
        Sign::Listen => {
            world.borrow_mut().wanted = true;
            Box::new(Listen { sign, world })
        }
        Sign::Fd(number) => Box::new(descriptor(sign, *number, all, ground)?),
        Sign::Tcp { host, port } => Box::new(SocketSign::new(sign, Endpoint::tcp(host, *port)?, world, whose)?),
        Sign::Unix(path) => Box::new(SocketSign::new(sign, Endpoint::unix(path, ground.here)?, world, whose)?),
        Sign::Http(http) => Box::new(Http::new(sign, http.clone(), world, whose, all.remark())?),
        Sign::File(path) => Box::new(FileSign::new(sign, ground.here.join(path), whose)),
        Sign::Exec(command) => {
            Box::new(Exec::new(sign, command.clone(), ground.here, ground.family.clone(), all.remark()))
        }
        Sign::Delay(time) => Box::new(Delay::new(sign, *time)),
        Sign::Log { count, regex } => {
            all.matchers.push(Matcher::sign(sign, regex.clone(), *count));
            return Ok(None);
        }
        Sign::Exit => {
            all.exit = Some(sign);
            all.follows = true;
            return Ok(None);
        }
    }))
}

fn descriptor(sign: usize, number: i32, all: &mut Conditions, ground: &Ground<'_>) -> Result<FdLine, String> {
    let handed = ground.blueprint.map_or(0, Blueprint::handed);
    if number < 3 + handed || all.descriptors.iter().any(|(_, known)| *known == number) {
        return Err(format!("descriptor {number} of fd:{number} is taken already; choose another"));
    }
    let (line, theirs) = FdLine::new(sign).map_err(|error| format!("cannot make a pipe: {error}"))?;
    all.descriptors.push((theirs, number));
    Ok(line)
}
