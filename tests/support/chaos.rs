//! A TCP proxy that does what bad networks do: refuse, cut, stall.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

#[derive(Default)]
struct State {
    target: Mutex<Option<SocketAddr>>,
    /// Bytes that may still come down; negative: no limit.
    down_left: AtomicI64,
    /// What happens then: the line goes dead; else it is cut.
    then_stall: AtomicBool,
    stalled: AtomicBool,
    refusing: AtomicBool,
    stop: AtomicBool,
    down: AtomicU64,
    up: AtomicU64,
    cuts: AtomicU64,
    /// Everything that went up, where it is to be looked at.
    recording: Mutex<Option<Vec<u8>>>,
    open: Mutex<Vec<TcpStream>>,
}

/// The proxy; dropping it ends it.
pub struct Chaos {
    address: SocketAddr,
    state: Arc<State>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Chaos {
    /// Listens on a free port and passes everything on, once it knows whereto.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("address");
        let state = Arc::new(State { down_left: AtomicI64::new(-1), ..State::default() });
        let threads = Arc::new(Mutex::new(Vec::new()));
        let (shared, list) = (Arc::clone(&state), Arc::clone(&threads));
        let accept = spawn("chaos-accept", move || {
            for client in listener.incoming() {
                if shared.stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(client) = client else { continue };
                let target = *shared.target.lock().expect("target");
                let (Some(target), false) = (target, shared.refusing.load(Ordering::SeqCst)) else { continue };
                let Ok(server) = TcpStream::connect(target) else { continue };
                for end in [&client, &server] {
                    shared.open.lock().expect("open").push(end.try_clone().expect("clone"));
                }
                let (up, down) = (Arc::clone(&shared), Arc::clone(&shared));
                let (c, s) = (client.try_clone().expect("clone"), server.try_clone().expect("clone"));
                let mut list = list.lock().expect("threads");
                list.push(spawn("chaos-up", move || pass(&up, client, server, false)));
                list.push(spawn("chaos-down", move || pass(&down, s, c, true)));
            }
        });
        threads.lock().expect("threads").push(accept);
        Self { address, state, threads }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Where to pass on to.
    pub fn target(&self, target: SocketAddr) {
        *self.state.target.lock().expect("target") = Some(target);
    }
    /// After so many more bytes downward every connection is cut, once.
    pub fn cut_after(&self, bytes: i64) {
        self.state.then_stall.store(false, Ordering::SeqCst);
        self.state.down_left.store(bytes, Ordering::SeqCst);
    }
    /// After so many more bytes downward the line is [stalled](Self::stall).
    pub fn stall_after(&self, bytes: i64) {
        self.state.then_stall.store(true, Ordering::SeqCst);
        self.state.down_left.store(bytes, Ordering::SeqCst);
    }
    /// Nothing goes through while stalled; connections stay.
    pub fn stall(&self, stalled: bool) {
        self.state.stalled.store(stalled, Ordering::SeqCst);
    }
    /// Whether the line is stalled.
    pub fn stalled(&self) -> bool {
        self.state.stalled.load(Ordering::SeqCst)
    }
    /// New connections are refused, old ones cut.
    pub fn refuse(&self, refusing: bool) {
        self.state.refusing.store(refusing, Ordering::SeqCst);
        if refusing {
            cut(&self.state);
        }
    }
    /// Keeps what goes up from now on.
    pub fn record(&self) {
        *self.state.recording.lock().expect("recording") = Some(Vec::new());
    }
    /// What went up since [`Chaos::record`].
    pub fn recorded(&self) -> String {
        let bytes = self.state.recording.lock().expect("recording").clone().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
    /// Bytes that went down.
    pub fn down(&self) -> u64 {
        self.state.down.load(Ordering::SeqCst)
    }
    /// How often everything was cut.
    pub fn cuts(&self) -> u64 {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        self.stall(false);
        cut(&self.state);
        // Wakes the accepting thread.
        drop(TcpStream::connect(self.address));
        loop {
            let Some(thread) = self.threads.lock().expect("threads").pop() else { break };
            thread.join().expect("ends");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).expect("thread")
}

fn cut(state: &State) {
    for end in state.open.lock().expect("open").drain(..) {
        // Closed already: then it needs no cutting.
        let _closed_already = end.shutdown(Shutdown::Both);
    }
    state.cuts.fetch_add(1, Ordering::SeqCst);
}

fn pass(state: &State, mut from: TcpStream, mut to: TcpStream, down: bool) {
    let mut buffer = [0u8; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if down && state.down_left.load(Ordering::SeqCst) >= 0 {
            let left = state.down_left.fetch_sub(i64::try_from(count).expect("small"), Ordering::SeqCst);
            if left < i64::try_from(count).expect("small") {
                state.down_left.store(-1, Ordering::SeqCst);
                if state.then_stall.load(Ordering::SeqCst) {
                    state.stalled.store(true, Ordering::SeqCst);
                } else {
                    cut(state);
                    break;
                }
            }
        }
        while state.stalled.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        if !down && let Some(recording) = state.recording.lock().expect("recording").as_mut() {
            recording.extend_from_slice(&buffer[..count]);
        }
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        let counter = if down { &state.down } else { &state.up };
        counter.fetch_add(count as u64, Ordering::SeqCst);
    }
    let _closed_already = to.shutdown(Shutdown::Both);
    let _closed_already = from.shutdown(Shutdown::Both);
}
