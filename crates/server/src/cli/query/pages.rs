//! Lists that may take several pages.

use tonic::Status;

use crate::cli::failure::Failure;
use crate::cli::output::CallFailed;

/// The first `limit` items of a list. The daemon limits a page to `query.max_page_size`, so a larger limit takes several
/// pages. `page` asks for one, given its size and token, and returns its items and the next token.
pub(in crate::cli) async fn all_pages<T>(
    limit: u32,
    mut page: impl AsyncFnMut(i32, String) -> Result<(Vec<T>, String), Status>,
) -> Result<Vec<T>, Failure> {
    let (mut items, mut token) = (Vec::new(), String::new());
    let limit = usize::try_from(limit)?;
    while items.len() < limit {
        let size = i32::try_from(limit - items.len()).unwrap_or(i32::MAX);
        let (more, next) = page(size, token).await.map_err(CallFailed)?;
        items.extend(more);
        token = next;
        if token.is_empty() {
            break;
        }
    }
    Ok(items)
}
