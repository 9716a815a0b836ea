//! Projects and the keys that open them. The room is empty: all telemetry is of one project.
