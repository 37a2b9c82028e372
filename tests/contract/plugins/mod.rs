mod allow;
mod deny;
mod get;
mod grants;
mod list;
mod rollback;
