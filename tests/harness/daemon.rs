//! The daemon as its users have it: the built binary.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;

use nix::sys::signal::Signal;

use crate::process::Process;
use crate::scratch::Scratch;
use crate::server::Server;

/// The environment variable that names the binary; without it, the one that was built beside the tests is used.
const BINARY: &str = "OBSERVATORY_BIN";

/// How the harness starts a daemon.
#[derive(Debug, Clone, Default)]
pub struct Options {
    database_url: Option<String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    prelude: Option<String>,
}

impl Options {
    /// A daemon on this database.
    pub fn on(database_url: impl Into<String>) -> Self {
        Self { database_url: Some(database_url.into()), ..Self::default() }
    }

    /// A daemon with a PostgreSQL of its own.
    pub fn private() -> Self {
        Self::default()
    }

    /// With another argument for `serve`.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Started by a shell that runs these lines first, such as a `ulimit`.
    #[must_use]
    pub fn prelude(mut self, shell: impl Into<String>) -> Self {
        self.prelude = Some(shell.into());
        self
    }

    /// Starts it and waits for its `ready` line.
    pub fn start(self) -> Daemon {
        let scratch = Scratch::new("daemon");
        let (server, ready) = self.launch(scratch.path());
        Daemon { server, ready, options: self, scratch }
    }

    fn command(&self) -> Command {
        let Some(prelude) = &self.prelude else { return Command::new(binary()) };
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{prelude}\nexec \"$@\"")).arg("prelude").arg(binary());
        shell
    }

    fn launch(&self, home: &Path) -> (Server, Ready) {
        let mut command = self.command();
        command.arg("serve").stdout(Stdio::piped());
        for listen in ["--ingest-listen", "--query-listen", "--admin-listen"] {
            command.args([listen, "127.0.0.1:0"]);
        }
        match &self.database_url {
            Some(url) => command.args(["--database-url", url]),
            None => command.arg("--data-dir").arg(home.join("data")),
        };
        // A daemon under test must not see the settings of the developer's shell, which may name another database.
        let inherited = std::env::vars_os().map(|(name, _)| name);
        let foreign = |name: &str| {
            ["OBSERVATORY_", "DB_", "DATABASE_", "REDIS_"].iter().any(|ours| name.starts_with(ours))
        };
        inherited
            .filter(|name| foreign(&name.to_string_lossy()))
            .for_each(|name| _ = command.env_remove(name));
        // The PostgreSQL that tests share may lose everything in a crash.
        command.env("OBSERVATORY_STORAGE__DATABASE__ALLOW_UNSAFE_DURABILITY", "true");
        command.args(&self.arguments).envs(self.environment.iter().cloned());

        let mut server = Server::start(command, &home.join("log"), Signal::SIGKILL);
        // A line of its own: the keeper reads the pid files one after the other.
        std::fs::write(pid_file(home), format!("{}\n", server.pid())).expect("a file in our own directory");
        let lines = lines_of(server.child().stdout.take().expect("a piped stdout"));
        let line = server.wait_until("observatory serve says ready", || match lines.try_recv() {
            Ok(line) if line.starts_with("ready ") => Ok(line),
            _ => Err("no such line on its standard output yet"),
        });
        (server, Ready::parse(&line))
    }
}

/// A running daemon. When dropped it gets SIGKILL, and its log is printed if the test failed.
#[derive(Debug)]
pub struct Daemon {
    // Dropped first: the directory goes when the daemon is gone.
    server: Server,
    ready: Ready,
    options: Options,
    scratch: Scratch,
}

#[derive(Debug)]
struct Ready(HashMap<String, String>);

impl Ready {
    fn parse(line: &str) -> Self {
        let fields = line.split_whitespace().filter_map(|field| field.split_once('='));
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("the ready line does not tell {name}"))
    }
}

impl Daemon {
    /// Address and port of OTLP/gRPC.
    pub fn ingest(&self) -> &str {
        self.ready.get("ingest")
    }

    /// Address and port of the query service.
    pub fn query(&self) -> &str {
        self.ready.get("query")
    }

    /// Address and port of the HTTP side.
    pub fn admin(&self) -> &str {
        self.ready.get("admin")
    }

    /// The URL of its database, from its ready line.
    pub fn database(&self) -> &str {
        self.ready.get("database")
    }

    /// Its standard error so far.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Its process, as the kernel shows it.
    pub fn process(&self) -> Process {
        Process::new(self.server.pid())
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.server.ended()
    }

    /// Ends it at once, as a crash would.
    pub fn kill9(&mut self) -> ExitStatus {
        self.stop(Signal::SIGKILL)
    }

    /// Asks it to stop and does not wait.
    pub fn ask_to_stop(&mut self) {
        self.server.signal(Signal::SIGTERM);
    }

    /// Asks it to stop and waits until it did.
    pub fn terminate(&mut self) -> ExitStatus {
        self.stop(Signal::SIGTERM)
    }

    fn stop(&mut self, signal: Signal) -> ExitStatus {
        let status = self.server.stop(signal);
        // From now on another process may get its id.
        std::fs::remove_file(pid_file(self.scratch.path())).ok();
        status
    }

    /// Starts it again, on the same data and on new ports. One that still runs is ended first, as a crash would.
    pub fn restart(&mut self) {
        self.kill9();
        (self.server, self.ready) = self.options.launch(self.scratch.path());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the daemon\n{}---", self.log());
        }
    }
}

fn pid_file(home: &Path) -> PathBuf {
    home.join("daemon.pid")
}

/// The binary under test.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os(BINARY) {
        return path.into();
    }
    // Tests run from target/<profile>/deps; the binaries are one floor above.
    let tests = std::env::current_exe().expect("the path of this test");
    let built = tests.ancestors().nth(2).expect("target/<profile>/deps").join("observatory");
    assert!(
        built.is_file(),
        "{} is not there: cargo build -p llm-observatory-server, or set {BINARY}",
        built.display()
    );
    built
}

/// The lines of a pipe, read to its end by a thread so that the writer never has to wait.
fn lines_of(pipe: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel();
    std::thread::spawn(move || {
        // Once the receiver is dropped, the send fails and the rest is read and forgotten.
        BufReader::new(pipe).lines().map_while(Result::ok).for_each(|line| _ = to.send(line));
    });
    lines
}
