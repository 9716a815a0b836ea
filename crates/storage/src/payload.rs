//! Messages and large values, each stored once. The room is empty: they lie in the attributes of their spans.
