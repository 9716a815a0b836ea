//! Judgements about spans and traces. The room is empty: none can be stored.
