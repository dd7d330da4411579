//! Players side by side, each with a bed of its own, who share the tasks of a run: alone, one would
//! need two hours for all. A bed has one processor, so there are as many as fit this machine.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use harness::failure::{Failure, Result};

use crate::build::GuestKernel;
use crate::matrix;
use crate::play::Player;
use crate::results::{Results, Row};
use crate::say;
use crate::stock::Stock;
use crate::story::Story;
use crate::telling;
use crate::wanted::Wanted;

/// QEMU runs at most so often at once.
const BEDS: usize = 2;

/// What one player does at a stretch.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    kernel: &'a GuestKernel,
    what: What<'a>,
}

#[derive(Debug, Clone, Copy)]
enum What<'a> {
    /// Scenarios, which share guests.
    Matrix(&'a [usize]),
    Story(&'a Story),
}

/// Everything that is wanted, kernel by kernel: the order of the report.
pub fn tasks<'a>(kernels: &'a [GuestKernel], wanted: &'a Wanted) -> Vec<Task<'a>> {
    let of = |kernel: &'a GuestKernel| {
        let stories = wanted.stories.iter().map(|story| What::Story(story));
        let all = [What::Matrix(&wanted.scenarios)].into_iter().chain(stories);
        all.map(move |what| Task { kernel, what })
    };
    kernels.iter().flat_map(of).collect()
}

/// Plays them and keeps what comes of each. Returns how many rows are no pass.
pub fn play(stock: &Stock, tasks: &[Task], results: Results) -> Result<usize> {
    let fit = thread::available_parallelism().map_or(1, NonZero::get).min(BEDS);
    let (next, results) = (AtomicUsize::new(0), Mutex::new(results));
    let work = |number: usize| work(&mut Player::new(stock, number)?, tasks, &next, &results);
    thread::scope(|scope| {
        let crew: Vec<_> = (0..fit).map(|number| scope.spawn(move || work(number))).collect();
        let failed = crew.into_iter().map(|player| player.join().unwrap_or_else(|_| Err(died())));
        failed.sum()
    })
}

fn died() -> Failure {
    Failure::new("a player has died: see above")
}

/// One player's part: whatever task is next, until there is none.
fn work(
    player: &mut Player,
    tasks: &[Task],
    next: &AtomicUsize,
    results: &Mutex<Results>,
) -> Result<usize> {
    let mut failed = 0;
    loop {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let Some(task) = tasks.get(place) else { return Ok(failed) };
        for row in task.play(player) {
            say(&format!("{} on {}: {}", row.scenario, row.kernel, row.result));
            failed += usize::from(row.result != "pass");
            results.lock().unwrap_or_else(PoisonError::into_inner).add(place, row)?;
        }
    }
}

impl Task<'_> {
    fn play(&self, player: &mut Player) -> Vec<Row> {
        match self.what {
            What::Matrix(scenarios) => matrix::play(player, self.kernel, scenarios),
            What::Story(story) => telling::tell(player, self.kernel, story).into_iter().collect(),
        }
    }
}
