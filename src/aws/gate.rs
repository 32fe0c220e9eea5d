//! How many requests to one service may be in flight: halved when AWS throttles, then recovering.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;

/// Throttles that arrive within this time of one another count as one.
const SAME_BURST: Duration = Duration::from_millis(500);

/// The limit of one service; cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    most: usize,
    limit: usize,
    in_flight: usize,
    answered: usize,
    throttled_at: Option<Instant>,
}

/// The right to have one request in flight.
struct Permit(Gate);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.state().in_flight -= 1;
        self.0.0.freed.notify_one();
    }
}

impl Gate {
    /// Lets `most` requests through at once, and at least one.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.max(1);
        Self(Arc::new(Shared {
            state: Mutex::new(State {
                most,
                limit: most,
                in_flight: 0,
                answered: 0,
                throttled_at: None,
            }),
            freed: Notify::new(),
        }))
    }

    /// How many requests may be in flight now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.state().limit
    }

    /// AWS throttled a request: half as many from now on.
    pub fn throttled(&self) {
        let mut state = self.state();
        let burst = state
            .throttled_at
            .is_some_and(|at| at.elapsed() < SAME_BURST);
        if !burst {
            state.throttled_at = Some(Instant::now());
            state.limit = (state.limit / 2).max(1);
            state.answered = 0;
        }
    }

    /// AWS answered a request: after as many answers as the limit, one more may be in flight.
    pub fn answered(&self) {
        let mut state = self.state();
        state.answered += 1;
        if state.answered >= state.limit && state.limit < state.most {
            state.limit += 1;
            state.answered = 0;
            drop(state);
            self.0.freed.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn enter(&self) -> Permit {
        loop {
            let freed = self.0.freed.notified();
            {
                let mut state = self.state();
                if state.in_flight < state.limit {
                    state.in_flight += 1;
                    return Permit(self.clone());
                }
            }
            freed.await;
        }
    }
}

/// An HTTP client whose requests pass a [`Gate`] first.
#[derive(Debug)]
pub(super) struct Gated {
    pub(super) inner: SharedHttpClient,
    pub(super) gate: Gate,
}

impl HttpClient for Gated {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(GatedConnector {
            inner: self.inner.http_connector(settings, components),
            gate: self.gate.clone(),
        })
    }
}

#[derive(Debug)]
struct GatedConnector {
    inner: SharedHttpConnector,
    gate: Gate,
}

impl HttpConnector for GatedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, gate) = (self.inner.clone(), self.gate.clone());
        HttpConnectorFuture::new(async move {
            let _permit = gate.enter().await;
            inner.call(request).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_halves_the_limit_and_answers_restore_it() {
        let gate = Gate::new(8);
        gate.throttled();
        gate.throttled();
        assert_eq!(gate.limit(), 4, "one burst halves once");
        for _ in 0..4 {
            gate.answered();
        }
        assert_eq!(gate.limit(), 5);
        for _ in 0..100 {
            gate.answered();
        }
        assert_eq!(gate.limit(), 8, "never above where it began");
    }

    #[tokio::test]
    async fn only_as_many_as_the_limit_are_inside() {
        let gate = Gate::new(2);
        let first = gate.enter().await;
        let _second = gate.enter().await;
        let third = gate.enter();
        tokio::pin!(third);
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(first);
        assert!(futures::poll!(third.as_mut()).is_ready());
    }
}
