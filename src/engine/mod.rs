//! Threads, priorities, retries: turns commands and demand into events. The only module that owns threads.

pub mod message;
