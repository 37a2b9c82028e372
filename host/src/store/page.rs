//! Pages of a list. Not here: how a client writes them.

use crate::limits;

/// Counts from 1. Values out of range are brought into it, as the reference does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub page: i64,
    pub page_size: i64,
}

impl Page {
    pub const SIZE_DEFAULT: i64 = 20;

    pub fn new(page: i64, page_size: i64) -> Self {
        Self { page: page.max(1), page_size: if page_size < 1 { Self::SIZE_DEFAULT } else { page_size.min(limits::PAGE_SIZE_MAX) } }
    }

    pub(super) fn limit(self) -> i64 {
        Self::new(self.page, self.page_size).page_size
    }

    pub(super) fn offset(self) -> i64 {
        let page = Self::new(self.page, self.page_size);
        (page.page - 1).saturating_mul(page.page_size)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new(1, Self::SIZE_DEFAULT)
    }
}

/// One page and how many items there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    pub total: i64,
}
