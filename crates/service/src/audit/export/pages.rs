//! From the database to the wire: the next rows are read while these are written and sent.
//!
//! Memory is two pages of rows and what the format keeps back, however long the file and however slow its reader. A page is a
//! statement of its own, so that a slow reader holds no snapshot open and no connection.

use std::future::{Future, ready};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};

use crate::operation::ServiceError;

/// Rows of a page.
pub(super) const PAGE: usize = 10_000;

/// Where rows come from, page by page.
pub(super) trait Source: Sized + Send + 'static {
    type Row: Send + 'static;

    /// The next rows, and where those after them come from; `None` behind the last.
    fn page(self) -> impl Future<Output = Result<(Vec<Self::Row>, Option<Self>), ServiceError>> + Send;
}

/// A format: what becomes of the rows. It says something at the end even if there were none.
pub(super) trait File<R>: Send + 'static {
    /// Whether a page takes so long to write that the thread which sends it must not wait.
    fn is_slow(&self) -> bool;

    /// The bytes that these rows come to, perhaps none yet; with the `last` of them the file is whole.
    fn write(&mut self, rows: &[R], last: bool) -> Result<Vec<u8>, ServiceError>;
}

/// The file, in chunks that are not empty.
pub(super) fn stream<S: Source>(
    source: S,
    file: Box<dyn File<S::Row>>,
) -> impl Stream<Item = Result<Bytes, ServiceError>> + Send + use<S> {
    let first = tokio::spawn(source.page());
    let chunks = futures::stream::try_unfold(Some((first, file)), async |state| {
        let Some((coming, file)) = state else {
            return Ok(None);
        };
        let (rows, rest) = coming.await??;
        let next = rest.map(|rest| tokio::spawn(rest.page()));
        let (file, chunk) = written(file, rows, next.is_none()).await?;
        Ok(Some((Bytes::from(chunk), next.map(|next| (next, file)))))
    });
    chunks.try_filter(|chunk| ready(!chunk.is_empty()))
}

async fn written<R: Send + 'static>(
    mut file: Box<dyn File<R>>,
    rows: Vec<R>,
    last: bool,
) -> Result<(Box<dyn File<R>>, Vec<u8>), ServiceError> {
    let slow = file.is_slow();
    let write = move || file.write(&rows, last).map(|chunk| (file, chunk));
    if slow {
        tokio::task::spawn_blocking(write).await?
    } else {
        write()
    }
}
