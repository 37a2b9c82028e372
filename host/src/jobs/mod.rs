//! The durable queue and its workers. Not here: what a job does.
