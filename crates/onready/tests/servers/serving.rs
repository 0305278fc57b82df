//! Steps of a server: what it says, what it starts, how it ends.

use crate::{Result, Script, millis, number, report, text};
use std::ffi::OsStr;
use std::fs;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::process::{Command, Stdio};
use std::time::Duration;

impl Script {
    pub fn serving(&mut self, verb: &str, value: &OsStr) -> Result<bool> {
        match verb {
            "status" => self.ready()?.status(text(value)?)?,
            "statuses" => {
                for n in 0..number::<u32>(value)? {
                    self.ready()?.status(&format!("step {n} of many"))?;
                }
            }
            "extend" => self.ready()?.extend_timeout(millis(value)?)?,
            "is-daemon" => println!("is_daemon={}", self.ready()?.is_daemon()),
            "notify" => self.ready.take().ok_or("there is no Ready")?.notify()?,
            "notify-in-thread" => {
                let ready = self.ready.take().ok_or("there is no Ready")?;
                std::thread::spawn(move || ready.notify()).join().map_err(|_| "it panicked")??;
            }
            "notify-in-task" => {
                let ready = self.ready.take().ok_or("there is no Ready")?;
                let task = tokio::spawn(async move { ready.notify() });
                tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(task))??;
            }
            "try-notify" => match self.ready.take().ok_or("there is no Ready")?.notify() {
                Ok(()) => println!("notified"),
                Err(error) => println!("not notified: {error}"),
            },
            "drop" => self.ready = None,
            "forget" => std::mem::forget(self.ready.take()),
            "exit" => std::process::exit(number(value)?),
            "panic" => panic!("as asked"),
            "panic-in-thread" => drop(std::thread::spawn(|| panic!("as asked")).join()),
            "sleep" => std::thread::sleep(millis(value)?),
            "stay" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "wait-for" => testbed::wait_for_path(value, Duration::from_secs(30)),
            "touch" => fs::write(value, "")?,
            "pid" => report(value, &[("pid", std::process::id().to_string())])?,
            "listen" => self.listen(value)?,
            "bind" => {
                let address = text(value)?.to_socket_addrs()?.next().ok_or("no address")?;
                self.kept.push(Box::new(TcpListener::bind(address)?));
            }
            "open" => self.kept.push(Box::new(fs::File::options().read(true).append(true).create(true).open(value)?)),
            "sh" => drop(shell(value).status()?),
            // It keeps our streams.
            "sh&" => drop(shell(value).spawn()?),
            // It has streams of its own.
            "quiet-sh&" => drop(shell(value).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?),
            "again" => self.again(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Answers everyone who connects with "pong"; the port stands in the file.
    fn listen(&mut self, file: &OsStr) -> Result {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        report(file, &[("port", listener.local_addr()?.port().to_string())])?;
        std::thread::spawn(move || {
            use std::io::Write;
            for connection in listener.incoming() {
                let _gone: std::io::Result<()> = connection.and_then(|mut c: TcpStream| c.write_all(b"pong\n"));
            }
        });
        Ok(())
    }

    /// Another server of the library as a child: steps with commas between them.
    fn again(&mut self, steps: &OsStr) -> Result {
        let status = Command::new(std::env::current_exe()?).args(text(steps)?.split(',')).status()?;
        println!("again: {status}");
        Ok(())
    }
}

fn shell(line: &OsStr) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line);
    command
}
