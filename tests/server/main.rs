//! The server from outside: the real binary, real files, real model servers.

mod authors;
mod cli;
mod crash;
mod crash_commit;
mod cross_language;
mod cutover;
mod described;
mod evaluation;
mod formats;
mod guests;
mod hello;
mod initialization;
mod logs;
mod main_job;
mod model_servers;
mod models;
mod plugins;
mod stress;
mod tenants;
mod web;
