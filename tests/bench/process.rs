//! Memory and CPU of a process, as the kernel counts them.
//!
//! Not here: what they are measured for.

/// Resident memory in kilobytes; 0 when the process is gone.
pub(crate) fn resident_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

pub(crate) fn resident_text(pid: u32) -> String {
    format!("{} MiB", resident_kb(pid) >> 10)
}

/// User and system time of a process, from ticks of 10 ms.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}

/// Counts the CPU of a server and of this program from now on.
pub(crate) struct CpuMeter {
    pid: u32,
    server: f64,
    own: f64,
}

impl CpuMeter {
    pub(crate) fn start(pid: u32) -> Self {
        Self { pid, server: cpu_seconds(pid), own: cpu_seconds(std::process::id()) }
    }

    /// (server, this program), in seconds.
    pub(crate) fn spent(&self) -> (f64, f64) {
        (cpu_seconds(self.pid) - self.server, cpu_seconds(std::process::id()) - self.own)
    }
}
