//! Sums of tokens, cost and calls. The room is empty: readers add up the rows of `trace_spans`.
