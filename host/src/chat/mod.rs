//! From a question to a streamed, cited answer.
//!
//! Not here: HTTP and which plugin answers.

pub mod template;
pub mod text;
