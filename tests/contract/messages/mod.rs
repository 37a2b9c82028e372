mod delete;
mod load;
