//! What a model's tokens cost. The room is empty: a reading has no cost.
