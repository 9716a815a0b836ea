//! How far a run is, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use llm_observatory_storage::maintenance::run::Progress;

use crate::cli::output::note;

/// How often the spinner moves, and how often a line is written where there is no terminal.
const TICK: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);

/// What is shown of a run.
#[derive(Debug)]
pub(super) struct Shown {
    bar: ProgressBar,
    last_line: Instant,
}

impl Shown {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::no_length();
        bar.enable_steady_tick(TICK);
        Self { bar, last_line: Instant::now() }
    }

    /// How far the run is.
    pub(super) fn progress(&mut self, progress: &Progress) {
        draw(&self.bar, progress);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE {
            self.last_line = Instant::now();
            note(&line(progress));
        }
    }

    /// What the run waits for.
    pub(super) fn waiting(&self, what: &'static str) {
        self.bar.set_message(what);
        if self.bar.is_hidden() {
            note(what);
        }
    }

    /// Leaves nothing of the bar.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn draw(bar: &ProgressBar, progress: &Progress) {
    let template = match progress.expected {
        Some(expected) => {
            bar.set_length(expected.max(progress.done));
            "{bar:30} {percent:>3} %  {pos} of about {len} rows, {msg}, {eta} left"
        }
        None => "{spinner} {pos} rows, {msg}, {elapsed}",
    };
    // The templates are constants, and both parse.
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(progress.done);
    bar.set_message(format!("{} changed", progress.changed));
}

/// The same in words.
fn line(Progress { done, changed, expected, .. }: &Progress) -> String {
    match expected {
        Some(expected) => format!("{done} of about {} rows, {changed} changed", expected.max(done)),
        None => format!("{done} rows, {changed} changed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bars_are_drawn_and_both_lines_written() {
        for (expected, said) in [
            (None, "5 rows, 1 changed"),
            (Some(10), "5 of about 10 rows, 1 changed"),
            (Some(3), "5 of about 5 rows, 1 changed"),
        ] {
            let bar = ProgressBar::hidden();
            let progress = Progress { done: 5, changed: 1, expected, is_finished: false };
            draw(&bar, &progress);
            assert_eq!((bar.position(), bar.message()), (5, "1 changed".to_owned()));
            assert_eq!(line(&progress), said);
        }
    }
}
