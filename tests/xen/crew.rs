//! Players side by side, each with a bed of its own, who share the tasks of a run: alone, one would
//! need two hours for all. A bed has one processor, so there are as many as fit this machine.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use harness::failure::{Failure, Result};

use crate::build::GuestKernel;
use crate::build::debian::Debian;
use crate::matrix;
use crate::play::{Player, Stock};
use crate::results::{Results, Row};
use crate::say;
use crate::story::Story;
use crate::telling;

/// QEMU runs at most so often at once.
const BEDS: usize = 2;

/// What one player does at a stretch.
pub struct Task<'a> {
    /// The kernel of its guests.
    pub kernel: &'a GuestKernel,
    /// What it plays.
    pub what: What<'a>,
}

/// What a task plays.
pub enum What<'a> {
    /// Scenarios, which share guests.
    Matrix(&'a [usize]),
    /// A story, with the Debian that it needs.
    Story(&'a Story, Option<Debian>),
}

/// Plays tasks, whose order is that of the report, and keeps what comes of each. Returns how many
/// rows are no pass; a run that plays nothing proves nothing.
pub fn play(stock: &Stock, tasks: &[Task], results: Results) -> Result<usize> {
    if tasks.is_empty() {
        return Err(Failure::new("none of these scenarios is for this kernel: nothing was played"));
    }
    let fit = thread::available_parallelism().map_or(1, NonZero::get).min(BEDS).min(tasks.len());
    let (next, results) = (AtomicUsize::new(0), Mutex::new(results));
    // Stories of Debian take longest: the last one of them would be played alone.
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|place| !tasks[*place].is_of_debian());
    let list = List { tasks, order: &order, next: &next };
    let work = |number: usize| work(&mut Player::new(stock, number)?, &list, &results);
    thread::scope(|scope| {
        let crew: Vec<_> = (0..fit).map(|number| scope.spawn(move || work(number))).collect();
        let failed = crew.into_iter().map(|player| player.join().unwrap_or_else(|_| Err(died())));
        failed.sum()
    })
}

fn died() -> Failure {
    Failure::new("a player has died: see above")
}

/// What is to be played, in which order, and how far the crew has come.
struct List<'a> {
    tasks: &'a [Task<'a>],
    order: &'a [usize],
    next: &'a AtomicUsize,
}

/// One player's part: whatever task is next, until there is none.
fn work(player: &mut Player, list: &List<'_>, results: &Mutex<Results>) -> Result<usize> {
    let mut failed = 0;
    loop {
        let turn = list.next.fetch_add(1, Ordering::Relaxed);
        let Some(place) = list.order.get(turn).copied() else { return Ok(failed) };
        let task = &list.tasks[place];
        for row in task.play(player)? {
            say(&format!("{} on {}: {}", row.scenario, row.kernel, row.result));
            failed += usize::from(row.result != "pass");
            results.lock().unwrap_or_else(PoisonError::into_inner).add(place, row)?;
        }
    }
}

impl Task<'_> {
    fn is_of_debian(&self) -> bool {
        matches!(&self.what, What::Story(_, Some(_)))
    }

    fn play(&self, player: &mut Player) -> Result<Vec<Row>> {
        player.turn_to(self.kernel);
        match &self.what {
            What::Matrix(scenarios) => {
                player.take(None)?;
                Ok(matrix::play(player, self.kernel, scenarios))
            }
            What::Story(story, debian) => {
                player.take(debian.as_ref())?;
                Ok(telling::tell(player, self.kernel, story).into_iter().collect())
            }
        }
    }
}
