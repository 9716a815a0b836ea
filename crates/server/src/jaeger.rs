//! The face for Jaeger: its calls for stored traces become questions. The room is empty: the daemon answers none.
