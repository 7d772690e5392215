//! End-to-end tests that cross crates; they stand in `tests/`.
