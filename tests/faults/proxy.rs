//! A proxy between a daemon and PostgreSQL that breaks connections where it hurts. It knows as much of PostgreSQL's protocol
//! as it takes to find those places.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::eventually;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::TcpRepair;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The longest time for which Linux holds an acknowledgement back is 40 ms.
const DELAYED_ACKNOWLEDGEMENT: Duration = Duration::from_millis(200);

/// Where PostgreSQL is.
#[derive(Debug, Clone)]
pub(crate) enum Server {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// How a connection is broken.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// The client gets a reset, the server a closed socket.
    #[default]
    Reset,
    /// Nothing passes any more, until the client gives up.
    Silence,
    /// The machine with the daemon is gone, with all its connections, and the server is not told.
    Vanish,
}

/// Where a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Within the rows of a COPY.
    InCopy,
    /// Before COMMIT reaches the server: nothing is stored.
    BeforeCommit,
    /// After the server has committed, before it can tell: everything is stored.
    AfterCommit,
}

impl Fault {
    pub(crate) const ALL: [Self; 3] = [Self::InCopy, Self::BeforeCommit, Self::AfterCommit];
}

/// What the proxy is to do, and what it has done.
#[derive(Debug, Default)]
struct Faults {
    armed: Mutex<Option<Fault>>,
    manner: Mutex<Manner>,
    vanished: watch::Sender<bool>,
    struck: [AtomicU64; 3],
    latency_ms: AtomicU64,
    delayed: AtomicU64,
}

impl Faults {
    /// Whether it is time for this fault; it strikes once.
    fn strikes(&self, fault: Fault) -> bool {
        let strikes = self.armed.lock().unwrap().take_if(|armed| *armed == fault).is_some();
        self.struck[fault as usize].fetch_add(strikes.into(), Ordering::Relaxed);
        if strikes && self.manner() == Manner::Vanish {
            self.vanished.send_replace(true);
        }
        strikes
    }

    fn manner(&self) -> Manner {
        *self.manner.lock().unwrap()
    }

    async fn vanish(&self) {
        // The sender is our own, so it is there.
        self.vanished.subscribe().wait_for(|vanished| *vanished).await.unwrap();
    }

    async fn delay(&self) {
        let latency = self.latency_ms.load(Ordering::Relaxed);
        self.delayed.fetch_add(u64::from(latency > 0), Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(latency)).await; // the subject: a slow network
    }
}

/// The proxy, as long as this lives.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    faults: Arc<Faults>,
    // Ends with all connections when dropped.
    _accepting: JoinSet<()>,
}

impl Proxy {
    /// A proxy before this server.
    pub(crate) async fn before(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, faults) = (listener.local_addr().unwrap(), Arc::<Faults>::default());
        let mut accepting = JoinSet::new();
        let shared = faults.clone();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let client = tokio::select! {
                    Ok((client, _)) = listener.accept() => client,
                    () = shared.vanish() => break,
                };
                let (server, faults) = (server.clone(), shared.clone());
                // An error is a connection that ended, which is what this is about.
                connections.spawn(async move { _ = converse(client, &server, &faults).await });
            }
            drop(listener);
            connections.join_all().await;
        });
        Self { address, faults, _accepting: accepting }
    }

    /// The URL of one of the server's databases, through the proxy.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgresql://postgres@{}/{database}?sslmode=disable", self.address)
    }

    /// Delays every answer of the server by `latency`.
    pub(crate) fn delays(&self, latency: Duration) {
        self.faults.latency_ms.store(latency.as_millis() as u64, Ordering::Relaxed);
    }

    /// From now on connections are broken like this.
    pub(crate) fn breaks_by(&self, manner: Manner) {
        *self.faults.manner.lock().unwrap() = manner;
    }

    /// Whether this process may make sockets [vanish](Manner::Vanish).
    pub(crate) async fn may_vanish(&self) -> bool {
        let socket = TcpStream::connect(self.address).await.unwrap();
        setsockopt(&socket, TcpRepair, &1).is_ok() && setsockopt(&socket, TcpRepair, &0).is_ok()
    }

    /// Breaks the next connection that comes to this point, and waits for it.
    pub(crate) async fn breaks(&self, fault: Fault) {
        let before = self.struck(fault);
        *self.faults.armed.lock().unwrap() = Some(fault);
        eventually("a connection comes to the fault", async || match self.struck(fault) {
            same if same == before => Err(format!("{fault:?} has not struck")),
            _ => Ok(()),
        })
        .await;
    }

    /// How often this fault has struck.
    pub(crate) fn struck(&self, fault: Fault) -> u64 {
        self.faults.struck[fault as usize].load(Ordering::Relaxed)
    }

    /// How many answers were held back.
    pub(crate) fn delayed(&self) -> u64 {
        self.faults.delayed.load(Ordering::Relaxed)
    }
}

/// A message: its type, and what follows its length.
struct Message {
    kind: u8,
    body: Vec<u8>,
}

impl Message {
    async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let kind = from.read_u8().await?;
        let mut body = vec![0; from.read_u32().await? as usize - size_of::<u32>()];
        from.read_exact(&mut body).await?;
        Ok(Self { kind, body })
    }

    fn bytes(&self) -> Vec<u8> {
        let length = (self.body.len() + size_of::<u32>()) as u32;
        [&[self.kind], &length.to_be_bytes()[..], &self.body].concat()
    }

    fn is_rows(&self) -> bool {
        self.kind == b'd'
    }

    /// A simple query, or the statement of the extended protocol.
    fn asks_to_commit(&self) -> bool {
        matches!(self.kind, b'Q' | b'P') && self.body.windows(7).any(|text| text == b"COMMIT\0")
    }

    fn tells_of_commit(&self) -> bool {
        self.kind == b'C' && self.body == b"COMMIT\0"
    }
}

/// One connection, until it ends or is broken.
async fn converse(mut client: TcpStream, server: &Server, faults: &Faults) -> io::Result<()> {
    client.set_nodelay(true)?;
    match server {
        Server::Unix(socket) => {
            let server = UnixStream::connect(socket).await?;
            relay(&mut client, server, faults).await?;
        }
        Server::Tcp(address) => {
            let mut server = TcpStream::connect(address).await?;
            server.set_nodelay(true)?;
            tokio::select! {
                ended = relay(&mut client, &mut server, faults) => ended?,
                () = faults.vanish() => {}
            }
            if faults.manner() == Manner::Vanish {
                // A socket under repair is closed without a word to the other side, which must have nothing more to say: to
                // a late acknowledgement our kernel would answer with a reset.
                tokio::time::sleep(DELAYED_ACKNOWLEDGEMENT).await;
                setsockopt(&server, TcpRepair, &1)?;
            }
        }
    }
    client.set_zero_linger() // a reset, and no farewell
}

/// Passes messages until the connection ends or is broken; gives the server back by dropping it.
async fn relay(
    client: &mut TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    faults: &Faults,
) -> io::Result<()> {
    // The first message has no type: 4 bytes of length, and no more than a few names.
    let length = client.read_u32().await?;
    let mut startup = vec![0; length as usize - size_of::<u32>()];
    client.read_exact(&mut startup).await?;
    server.write_all(&[&length.to_be_bytes(), &startup[..]].concat()).await?;

    let has_copied = AtomicBool::new(false);
    let (mut from_client, to_client) = client.split();
    let (from_server, to_server) = tokio::io::split(&mut server);
    tokio::select! {
        broken = pass_questions(&mut from_client, to_server, &has_copied, faults) => broken?,
        broken = pass_answers(from_server, to_client, &has_copied, faults) => broken?,
    }
    if faults.manner() == Manner::Silence {
        tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await?;
    }
    Ok(())
}

/// Succeeds when the connection is to be broken.
async fn pass_questions(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    has_copied: &AtomicBool,
    faults: &Faults,
) -> io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    loop {
        let message = Message::read(&mut from).await?;
        if message.is_rows() {
            has_copied.store(true, Ordering::Relaxed);
            if faults.strikes(Fault::InCopy) {
                let bytes = message.bytes();
                to.write_all(&bytes[..bytes.len() / 2]).await?;
                to.flush().await?;
                return Ok(());
            }
        }
        let commits = message.asks_to_commit() && has_copied.load(Ordering::Relaxed);
        if commits && faults.strikes(Fault::BeforeCommit) {
            return Ok(());
        }
        to.write_all(&message.bytes()).await?;
        if from.buffer().is_empty() {
            to.flush().await?;
        }
    }
}

/// Succeeds when the connection is to be broken.
async fn pass_answers(
    from: impl AsyncRead + Unpin,
    to: impl AsyncWrite + Unpin,
    has_copied: &AtomicBool,
    faults: &Faults,
) -> io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    loop {
        let message = Message::read(&mut from).await?;
        // Only a transaction that holds rows: there are others.
        if message.tells_of_commit()
            && has_copied.swap(false, Ordering::Relaxed)
            && faults.strikes(Fault::AfterCommit)
        {
            return Ok(());
        }
        to.write_all(&message.bytes()).await?;
        if from.buffer().is_empty() {
            faults.delay().await;
            to.flush().await?;
        }
    }
}
