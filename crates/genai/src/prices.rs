//! Prices of tokens. Empty so far: a reading has no cost.
