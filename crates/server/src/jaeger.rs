//! The face for Jaeger: turns its calls for stored traces into questions. The room is empty: the daemon answers none.
