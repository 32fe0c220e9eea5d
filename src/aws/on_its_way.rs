//! One answer for all that ask the same at the same moment, and no longer kept: a later question
//! is a new one.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

use crate::base::Result;

/// The question that is on its way now, if any.
#[derive(Debug)]
pub struct OnItsWay<T>(Mutex<Weak<OnceCell<Arc<T>>>>);

impl<T> Default for OnItsWay<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> OnItsWay<T> {
    /// Asks with `ask`, or joins who asks already.
    ///
    /// # Errors
    /// What `ask` failed with; others that asked with it ask themselves then.
    pub async fn ask<F, R>(&self, ask: F) -> Result<Arc<T>>
    where
        F: FnOnce() -> R,
        R: Future<Output = Result<T>>,
    {
        let cell = {
            let mut on_its_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            on_its_way.upgrade().unwrap_or_else(|| {
                let cell = Arc::new(OnceCell::new());
                *on_its_way = Arc::downgrade(&cell);
                cell
            })
        };
        let ask = || async { Ok(Arc::new(ask().await?)) };
        cell.get_or_try_init(ask).await.map(Arc::clone)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_shared_but_not_kept() {
        let calls = AtomicUsize::new(0);
        let shared = OnItsWay::default();
        let ask = || async {
            tokio::task::yield_now().await;
            Ok(calls.fetch_add(1, Ordering::Relaxed))
        };
        let (a, b) = tokio::join!(shared.ask(ask), shared.ask(ask));
        assert_eq!((*a.unwrap(), *b.unwrap()), (0, 0));
        assert_eq!(*shared.ask(ask).await.unwrap(), 1);
    }
}
