//! Keyset pages: a cursor is the key of the last row shown, and says nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::access::Permit;
use super::error::{Refusal, ServiceError};

/// The longest page.
pub const MAX_PAGE: usize = 200;

/// A page of a list, and where the next one starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

/// Rows to fetch for a page: one more tells whether another page follows.
pub(crate) fn fetch(limit: usize) -> i64 {
    i64::try_from(limit.clamp(1, MAX_PAGE).saturating_add(1)).unwrap_or(i64::MAX)
}

pub(crate) fn page<T, K: Serialize>(
    mut rows: Vec<T>,
    limit: usize,
    key: impl Fn(&T) -> K,
) -> Result<Page<T>, ServiceError> {
    let limit = limit.clamp(1, MAX_PAGE);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = match rows.last().filter(|_| more) {
        Some(last) => Some(cursor(&key(last))?),
        None => None,
    };
    Ok(Page {
        items: rows,
        next_cursor,
    })
}

/// The cursor behind a row of this key.
pub(crate) fn cursor(key: &impl Serialize) -> Result<String, ServiceError> {
    let key = serde_json::to_vec(key)?;
    Ok(URL_SAFE_NO_PAD.encode(key))
}

pub(crate) fn read<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>, Refusal> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.map(Some).ok_or_else(|| {
        Refusal::field(
            "/cursor",
            "cursor.unreadable",
            "游标无效，请使用上一页返回的 next_cursor",
            "not a cursor of this list: use next_cursor of the page before",
        )
    })
}

/// The counties a list is about: the one asked for, if the caller may see it, or all the caller may see (empty: all).
pub(crate) fn counties<R>(permit: &Permit<R>, asked: Option<String>) -> Result<Vec<String>, Refusal> {
    match asked {
        Some(county) => permit.within(&county).map(|()| vec![county]),
        None => Ok(permit.actor().jurisdictions.clone()),
    }
}

impl<T> Page<T> {
    pub(crate) fn try_map<U>(
        self,
        map: impl Fn(T) -> Result<U, ServiceError>,
    ) -> Result<Page<U>, ServiceError> {
        let items = self.items.into_iter().map(map).collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next_cursor: self.next_cursor,
        })
    }
}
