//! `observatory prices`: shows what models cost, and sets it.

mod ask;
mod set;
pub(super) mod show;

use clap::{Args, Subcommand};

use super::failure::Failure;

/// Options of `prices`.
#[derive(Debug, Args)]
pub(super) struct Prices {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show prices: those that people set, and those of the catalogue. Asks a running observatory.
    List(ask::List),
    /// Show the price that a call of a model has. Asks a running observatory.
    Show(ask::Show),
    /// Show the models of calls that have no cost. Asks a running observatory.
    Unmatched(ask::Unmatched),
    /// Set the price of a model in the database.
    ///
    /// It counts for calls that are stored from now on and started at --from or later. `observatory reprice` gives it to
    /// calls that are stored already.
    Set(Box<set::Set>),
    /// Set the prices of a file in the database, all or none.
    Import(Box<set::Import>),
    /// Withdraw a price that was set, from the database.
    ///
    /// From now on calls are stored without it: with the price before it, or that of the catalogue, or none. `observatory
    /// reprice` does the same to calls that are stored already.
    Withdraw(Box<set::Withdraw>),
}

impl Prices {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::List(list) => list.run().await,
            Verb::Show(show) => show.run().await,
            Verb::Unmatched(unmatched) => unmatched.run().await,
            Verb::Set(set) => set.run().await,
            Verb::Import(import) => import.run().await,
            Verb::Withdraw(withdraw) => withdraw.run().await,
        }
    }
}
