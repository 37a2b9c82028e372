//! Loops that send requests and time the answers.
//!
//! Not here: which requests.

use crate::process::CpuMeter;
use crate::wire::Wire;
use knowhost_tests::Server;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How a loop went.
pub(crate) struct Load {
    /// Sorted.
    times: Vec<Duration>,
    seconds: f64,
    server_cpu: f64,
    client_cpu: f64,
}

impl Load {
    pub(crate) fn at(&self, share: f64) -> f64 {
        let place = (self.times.len().saturating_sub(1) as f64 * share) as usize;
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// CPU of the server for each request, in milliseconds.
    pub(crate) fn server_ms(&self) -> f64 {
        self.server_cpu * 1e3 / self.times.len().max(1) as f64
    }

    pub(crate) fn text(&self) -> String {
        let percent = |cpu: f64| cpu * 100.0 / self.seconds;
        format!(
            "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms; server {:.0} % and clients {:.0} % of a core",
            self.per_second(),
            self.at(0.5),
            self.at(0.99),
            percent(self.server_cpu),
            percent(self.client_cpu),
        )
    }
}

/// Each client sends its next request when the last was answered. Request `number` is `requests[number % len]`.
pub(crate) fn closed(server: &Server, clients: usize, time: Duration, requests: &[Vec<u8>]) -> Load {
    let (number, end) = (AtomicUsize::new(0), Instant::now() + time);
    run(server, clients, |wire, times| {
        while Instant::now() < end {
            let request = &requests[number.fetch_add(1, Ordering::Relaxed) % requests.len()];
            let started = Instant::now();
            wire.ask(request);
            times.push(started.elapsed());
        }
    })
}

/// Requests are due at a fixed rate, whether the last ones were answered or not; an answer's time counts from when its request was due, so waiting
/// for a free client counts too.
pub(crate) fn open(server: &Server, clients: usize, rate: f64, time: Duration, requests: &[Vec<u8>]) -> Load {
    let (number, count) = (AtomicUsize::new(0), (rate * time.as_secs_f64()) as usize);
    let begin = Instant::now() + Duration::from_millis(50);
    run(server, clients, |wire, times| {
        loop {
            let place = number.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return;
            }
            let due = begin + Duration::from_secs_f64(place as f64 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            wire.ask(&requests[place % requests.len()]);
            times.push(due.elapsed());
        }
    })
}

/// Sends each request once.
pub(crate) fn each_once(server: &Server, requests: &[Vec<u8>]) {
    let mut wire = Wire::connect(server);
    for request in requests {
        wire.ask(request);
    }
}

fn run(server: &Server, clients: usize, work: impl Fn(&mut Wire, &mut Vec<Duration>) + Sync) -> Load {
    let mut wires: Vec<Wire> = (0..clients).map(|_| Wire::connect(server)).collect();
    let (meter, started) = (CpuMeter::start(server.pid()), Instant::now());
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = wires
            .iter_mut()
            .map(|wire| {
                let work = &work;
                scope.spawn(move || {
                    let mut times = Vec::new();
                    work(wire, &mut times);
                    times
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    let (server_cpu, client_cpu) = meter.spent();
    times.sort();
    Load { times, seconds, server_cpu, client_cpu }
}
