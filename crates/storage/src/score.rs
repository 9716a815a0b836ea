//! Scores of spans and traces. Empty so far: no table stores them.
