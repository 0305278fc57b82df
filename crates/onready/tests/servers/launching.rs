//! Steps up to `enter`, and what a launcher does that lives on.

use crate::{Result, Script, millis, number, text};
use onready::{Launch, Role};
use std::ffi::OsStr;
use testbed::sys;

impl Script {
    pub fn launching(&mut self, verb: &str, value: &OsStr) -> Result<bool> {
        match verb {
            "daemonize" => self.change(|launch| launch.daemonize(true)),
            "timeout" => {
                let limit = millis(value)?;
                self.change(|launch| launch.timeout(limit))
            }
            "log" => self.change(|launch| launch.log(value)),
            "pid-file" => self.change(|launch| launch.pid_file(value)),
            "dir" => self.change(|launch| launch.working_directory(value)),
            "umask" => {
                let mask = u32::from_str_radix(text(value)?, 8)?;
                self.change(|launch| launch.umask(mask))
            }
            "user" => {
                let name = text(value)?;
                self.change(|launch| launch.user(name))
            }
            "group" => {
                let name = text(value)?;
                self.change(|launch| launch.group(name))
            }
            "enter" => self.ready = Some(self.launch.clone().enter()),
            "try-enter" => self.try_enter()?,
            // What a launcher that lives on does next; a server has come to its end here.
            "launcher" => std::process::exit(0),
            "two-at-once" => two_at_once(&self.launch)?,
            "tokio" => self.on_a_runtime()?,
            "close-all" => (3..1024).for_each(sys::close_fd),
            "fork" => sys::fork().map(drop)?,
            "fork-and-wait" => {
                if let Some(child) = sys::fork()? {
                    std::process::exit(sys::wait_for(child));
                }
            }
            // Done by the launcher; the server finds it done.
            "unlink-me" => drop(std::fs::remove_file(std::env::current_exe()?)),
            "replace-me" => drop(std::fs::rename(value, std::env::current_exe()?)),
            // The next step is for the server alone.
            "if-server" if std::env::var_os("ONREADY_CHANNEL").is_none() => drop(self.rest.pop()),
            "if-server" => {}
            "subreaper" => println!("subreaper={}", rustix::process::child_subreaper()?.is_some()),
            "ignore" => {
                for name in text(value)?.split(',') {
                    sys::ignore_signal(testbed::signal_number(name).ok_or("no such signal")?)?;
                }
            }
            "fill" => self.fill(number(value)?)?,
            "nofile" => limit_files(number(value)?)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn change(&mut self, by: impl FnOnce(Launch) -> Launch) {
        self.launch = by(std::mem::take(&mut self.launch));
    }

    /// The server goes on with the next steps, up to `launcher`; the launcher with those behind it.
    fn try_enter(&mut self) -> Result {
        let started = match self.launch.clone().try_enter() {
            Ok(Role::Server(ready)) => {
                self.ready = Some(ready);
                return Ok(());
            }
            Ok(Role::Launcher(started)) => Ok(started),
            Err(error) => Err(error),
        };
        let at = self.rest.iter().rposition(|word| word == "launcher").ok_or("no step `launcher`")?;
        self.rest.truncate(at);
        match started {
            Ok(started) => println!(
                "started pid={} status={:?} quick={}",
                started.pid(),
                started.status(),
                started.elapsed().as_secs() < 20
            ),
            Err(error) => println!("error code={} text={error}", error.exit_code()),
        }
        Ok(())
    }

    /// Opens files until only so many numbers are free.
    fn fill(&mut self, free: usize) -> Result {
        let mut opened = Vec::new();
        while let Ok(file) = std::fs::File::open("/dev/null") {
            opened.push(file);
        }
        opened.truncate(opened.len().saturating_sub(free));
        self.kept.push(Box::new(opened));
        Ok(())
    }

    /// The remaining steps, inside a runtime with many threads.
    fn on_a_runtime(&mut self) -> Result {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
        runtime.block_on(async { self.go_on() })
    }
}

/// Two launches from two threads; each says what came of it.
fn two_at_once(launch: &Launch) -> Result {
    let start = || match launch.clone().try_enter() {
        Ok(Role::Server(ready)) => {
            println!("pid={}", std::process::id());
            ready.notify().expect("notify");
            loop {
                std::thread::park();
            }
        }
        Ok(Role::Launcher(started)) => println!("started {}", started.pid()),
        Err(error) => println!("error {error}"),
    };
    // In the server one thread is enough: the channel is for one.
    if std::env::var_os("ONREADY_CHANNEL").is_some() {
        start();
    }
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(start))));
    Ok(())
}

fn limit_files(number: u64) -> Result {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Nofile, Rlimit { current: Some(number), maximum: Some(number) })?;
    Ok(())
}
