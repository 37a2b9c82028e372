mod allow;
mod deny;
mod list;
