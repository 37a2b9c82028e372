mod get;
mod start;
