//! The sandbox's own requests, for tests, rehearsals and `status`.

use serde::de::DeserializeOwned;

use super::front::{Fault, Health, Recorded};
use crate::base::{Error, Result, ResultExt};

/// Talks to a running sandbox beside AWS's protocols.
#[derive(Clone)]
pub struct Control {
    http: reqwest::Client,
    endpoint: String,
}

impl Control {
    /// For the sandbox at `endpoint`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(endpoint: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .context("setting up an HTTP client")?;
        Ok(Self {
            http,
            endpoint: endpoint.to_owned(),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.endpoint)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response> {
        let response = request.send().await.context("asking the sandbox")?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let said = response.text().await.unwrap_or_default();
        Err(Error::failed(format!(
            "the sandbox refused ({status}): {said}"
        )))
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let response = self.ask(self.http.get(self.url(path))).await?;
        response
            .json()
            .await
            .context("reading the sandbox's answer")
    }

    /// How it is.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn health(&self) -> Result<Health> {
        self.read("/_sandbox/health").await
    }

    /// All calls since the start or the last clearing.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn record(&self) -> Result<Vec<Recorded>> {
        self.read("/_sandbox/record").await
    }

    /// Forgets the calls so far.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn clear_record(&self) -> Result<()> {
        self.ask(self.http.delete(self.url("/_sandbox/record")))
            .await?;
        Ok(())
    }

    /// Adds faults.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn add_faults(&self, faults: &[Fault]) -> Result<()> {
        self.ask(self.http.post(self.url("/_sandbox/faults")).json(faults))
            .await?;
        Ok(())
    }

    /// Drops all faults.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn clear_faults(&self) -> Result<()> {
        self.ask(self.http.delete(self.url("/_sandbox/faults")))
            .await?;
        Ok(())
    }

    /// This machine's address, as the hosts see it.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn own_address(&self) -> Result<String> {
        let response = self.ask(self.http.get(self.url("/checkip"))).await?;
        let text = response
            .text()
            .await
            .context("reading the sandbox's answer")?;
        Ok(text.trim().to_owned())
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn stop(&self) -> Result<()> {
        self.ask(self.http.post(self.url("/_sandbox/stop"))).await?;
        Ok(())
    }
}
