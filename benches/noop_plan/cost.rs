//! Wall-clock and CPU time of child processes.

use std::fs;
use std::time::Instant;

/// Ticks a second in which Linux counts CPU time for programs; the same on every architecture that Rust supports well.
const TICKS: f64 = 100.0;

/// One run.
pub struct Sample {
    wall: f64,
    cpu: f64,
}

/// Many runs of the same.
#[derive(Default)]
pub struct Cost {
    walls: Vec<f64>,
    cpus: Vec<f64>,
}

impl Cost {
    /// Takes one more run in.
    pub fn push(&mut self, sample: Sample) {
        self.walls.push(sample.wall);
        self.cpus.push(sample.cpu);
    }

    /// Returns the median wall-clock time in seconds.
    pub fn wall(&self) -> f64 {
        let mut walls = self.walls.clone();
        walls.sort_by(f64::total_cmp);
        walls.get(walls.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Returns the mean CPU time in seconds: the kernel shows whole ticks of a sum that it keeps more finely, so the sum of
    /// many runs is exact where a single one is not.
    pub fn cpu(&self) -> f64 {
        self.cpus.iter().sum::<f64>() / self.cpus.len() as f64
    }
}

/// Measures what runs one child process to its end, and waits for it.
pub fn sample(run: impl FnOnce()) -> Sample {
    let cpu = cpu_of_children();
    let began = Instant::now();
    run();
    Sample { wall: began.elapsed().as_secs_f64(), cpu: cpu_of_children() - cpu }
}

/// Returns the user and system time of all children that were waited for.
fn cpu_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("read the process's own statistics");
    // The program's name stands in parentheses and may hold spaces; `cutime` and `cstime` are fields 16 and 17.
    let fields = stat.rsplit_once(')').expect("a name in parentheses").1;
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS
}
