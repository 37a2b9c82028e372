mod change_password;
mod login;
mod logout;
mod me;
mod refresh;
mod register;
mod validate;
