//! What handlers share.
//!
//! Not here: how the parts are made (`app`).

use crate::chat::Chat;
use crate::evaluate::Evaluations;
use crate::library::initialization::Initialization;
use crate::library::{Documents, IndexCare, Library};
use crate::search::Search;

/// The rooms behind the routes. Cloning is cheap: every field shares its content.
#[derive(Clone)]
pub struct AppState {
    pub library: Library,
    pub chat: Chat,
    pub documents: Documents,
    pub initialization: Initialization,
    pub search: Search,
    pub index: IndexCare,
    pub evaluations: Evaluations,
}
