//! Sums of tokens, cost and calls. Empty so far: readers add up the rows of `trace_spans`.
