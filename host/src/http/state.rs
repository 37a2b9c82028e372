//! What handlers share.
//!
//! Not here: how the parts are made (`app`).

use crate::chat::Chat;
use crate::library::Library;

/// The rooms behind the routes. Cloning is cheap: every field shares its content.
#[derive(Clone)]
pub struct AppState {
    pub library: Library,
    pub chat: Chat,
}
