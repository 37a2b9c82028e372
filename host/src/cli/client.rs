//! The public API as the commands use it: of the server that serves the data folder, or of one that lives as long as the command.

use crate::app::{self, Running, folder, secrets::Secrets};
use crate::config::Settings;
use anyhow::{Context, Result, anyhow, bail};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    api_key: String,
    /// The server that this command started for itself.
    own: Option<Running>,
}

impl Client {
    /// Finds the server of the data folder, or starts one on a free port that only this command knows.
    pub(super) async fn connect(mut settings: Settings) -> Result<Self> {
        if let Some(running) = Self::running(&settings, app::API_KEY_SECRET).await? {
            return Ok(running);
        }
        let http = http_client()?;
        settings.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let own = app::start(settings).await?;
        let base = format!("http://{}/api/v1", own.address());
        let api_key = own.api_key().to_owned();
        Ok(Self { http, base, api_key, own: Some(own) })
    }

    /// The server of the data folder, if one runs, as its operator: with the key that only the folder's owner can read.
    pub(super) async fn operator(settings: &Settings) -> Result<Option<Self>> {
        Self::running(settings, app::LOCAL_KEY_SECRET).await
    }

    /// The same, or one of this command's own where none runs.
    pub(super) async fn connect_operator(settings: Settings) -> Result<Self> {
        if let Some(running) = Self::operator(&settings).await? {
            return Ok(running);
        }
        let data_dir = settings.data_dir.clone();
        let mut client = Self::connect(settings).await?;
        let key = Secrets::open(&data_dir)?.read(app::LOCAL_KEY_SECRET)?;
        client.api_key = key.ok_or_else(|| anyhow!("the key of the folder's owner is missing"))?;
        Ok(client)
    }

    async fn running(settings: &Settings, key: &str) -> Result<Option<Self>> {
        let http = http_client()?;
        let Some(note) = folder::read_note(&settings.data_dir) else { return Ok(None) };
        if !answers(&http, note.address).await {
            return Ok(None);
        }
        let api_key = Secrets::open(&settings.data_dir)?
            .read(key)?
            .ok_or_else(|| anyhow!("the server at http://{} has not made its keys yet; try again in a moment", note.address))?;
        Ok(Some(Self { http, base: format!("http://{}/api/v1", note.address), api_key, own: None }))
    }

    /// Whether the command talks to a server that runs on after it.
    pub(super) fn is_remote(&self) -> bool {
        self.own.is_none()
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Ends the command's own server; a running one stays.
    pub(super) async fn close(self) -> Result<()> {
        match self.own {
            Some(own) => own.stop().await,
            None => Ok(()),
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("X-API-Key", &self.api_key)
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value> {
        json(self.request(Method::GET, path).send().await?).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        json(self.request(Method::POST, path).json(body).send().await?).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Result<Value> {
        json(self.request(Method::PUT, path).json(body).send().await?).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value> {
        json(self.request(Method::DELETE, path).send().await?).await
    }

    /// All knowledge bases of the tenant, newest first.
    pub(super) async fn knowledge_bases(&self) -> Result<Vec<Value>> {
        list(&self.get("/knowledge-bases").await?)
    }

    /// The knowledge base of this name or id.
    pub(super) async fn find_knowledge_base(&self, name: &str) -> Result<Option<Value>> {
        let found: Vec<Value> =
            self.knowledge_bases().await?.into_iter().filter(|kb| text(kb, "name") == name || text(kb, "id") == name).collect();
        if found.len() > 1 {
            bail!("{} knowledge bases are called {name:?}; use an id from `knowhost kb list`", found.len());
        }
        Ok(found.into_iter().next())
    }
}

fn http_client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).build()?)
}

async fn answers(http: &reqwest::Client, address: SocketAddr) -> bool {
    http.get(format!("http://{address}/health"))
        .timeout(Duration::from_secs(2))
        .send()
        .await
        .is_ok_and(|answer| answer.status().is_success())
}

/// The body of a success, or the server's own words as an error.
pub(super) async fn json(answer: Response) -> Result<Value> {
    let status = answer.status();
    let bytes = answer.bytes().await?;
    let body: Value = serde_json::from_slice(&bytes).with_context(|| format!("the server answered {status} without JSON"))?;
    if status.is_success() {
        return Ok(body);
    }
    bail!("{}", failure(&body).unwrap_or_else(|| format!("the server answered {status}")))
}

/// The message of an error answer, in any of its shapes.
pub(super) fn failure(body: &Value) -> Option<String> {
    let message = body["error"]["message"].as_str().or_else(|| body["error"].as_str()).or_else(|| body["message"].as_str())?;
    match body["error"]["details"].as_str() {
        Some(details) => Some(format!("{message}: {details}")),
        None => Some(message.to_owned()),
    }
}

pub(super) fn list(answer: &Value) -> Result<Vec<Value>> {
    answer["data"].as_array().cloned().ok_or_else(|| anyhow!("the server's answer holds no list"))
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
