//! Projects and their access keys. Empty so far: all telemetry belongs to one project.
