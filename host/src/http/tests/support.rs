//! A server for one test, the callers of its routes, and what they get back.
//!
//! Not here: assertions about a route.

use super::openapi::Document;
use crate::chat::testing::{TestChat, chat_over};
use crate::domain::ModelType;
use crate::domain::TenantScope;
use crate::evaluate::datasets::Datasets;
use crate::evaluate::{EvaluationParts, Evaluations};
use crate::files::Files;
use crate::http::{AppState, router};
use crate::index::Follower;
use crate::ingest::parse::ParseChildLimits;
use crate::ingest::parse::testing::child as parsers;
use crate::ingest::{Ingest, IngestParts};
use crate::jobs::{JobTiming, Jobs, Worker};
use crate::library::Documents;
use crate::library::access::Access;
use crate::library::downloads::Downloads;
use crate::library::initialization::{Initialization, InitializationSettings};
use crate::library::tenants::retriever_engines_of;
use crate::library::{IndexCare, Library, LibrarySettings};
use crate::provider::testing::{PlayedModels, PlayedPages};
use crate::search::{FusionOrder, Search};
use crate::store::{BuiltinModel, Store};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(in crate::http) const OPERATOR_KEY: &str = "operator-key-of-the-tests";
pub(in crate::http) const BUILTIN_MODEL: &str = "knowhost-embed";

/// A server whose data folder lives as long as the test.
pub(in crate::http) struct TestApp {
    pub(in crate::http) state: AppState,
    /// What plays the models and searches of the chat.
    pub(in crate::http) chat: TestChat,
    /// What stands behind the addresses of the web.
    pub(in crate::http) pages: Arc<PlayedPages>,
    /// What plays the models of everything else.
    pub(in crate::http) models: Arc<PlayedModels>,
    router: Router,
    document: Document,
    ingest: Arc<Ingest>,
    follower: Follower,
    stop: StopOnDrop,
    _folder: TempDir,
}

/// Somebody who registered and logged in.
#[derive(Clone)]
pub(in crate::http) struct Tester {
    pub(in crate::http) tenant_id: i64,
    pub(in crate::http) email: String,
    pub(in crate::http) key: String,
    pub(in crate::http) token: String,
    pub(in crate::http) refresh: String,
}

#[derive(Debug)]
pub(in crate::http) struct Answer {
    pub(in crate::http) status: u16,
    pub(in crate::http) headers: HeaderMap,
    pub(in crate::http) body: Vec<u8>,
}

impl Answer {
    pub(in crate::http) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", String::from_utf8_lossy(&self.body)))
    }

    pub(in crate::http) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(in crate::http) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().expect("a text")).unwrap_or_default()
    }

    /// `data` of a successful answer.
    pub(in crate::http) fn data(&self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.text());
        self.json()["data"].clone()
    }

    /// Status, code, message and details of a failure.
    pub(in crate::http) fn failure(&self) -> (u16, i64, String, Value) {
        let body = self.json();
        assert_eq!(body["success"], json!(false), "{body}");
        let error = &body["error"];
        (
            self.status,
            error["code"].as_i64().unwrap_or_default(),
            error["message"].as_str().unwrap_or_default().to_owned(),
            error["details"].clone(),
        )
    }
}

/// Ends the tasks of [`TestApp::work`].
struct StopOnDrop(CancellationToken);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl TestApp {
    pub(in crate::http) async fn new() -> Self {
        Self::with(LibrarySettings::default()).await
    }

    pub(in crate::http) async fn with(settings: LibrarySettings) -> Self {
        Self::signing_with("a secret of the tests", settings).await
    }

    pub(in crate::http) async fn signing_with(jwt_secret: &str, settings: LibrarySettings) -> Self {
        Self::build_signing(jwt_secret, settings, InitializationSettings::default(), PlayedModels::default()).await
    }

    pub(in crate::http) async fn build(settings: LibrarySettings, initialization: InitializationSettings, models: PlayedModels) -> Self {
        Self::build_signing("a secret of the tests", settings, initialization, models).await
    }

    async fn build_signing(
        jwt_secret: &str,
        settings: LibrarySettings,
        initialization: InitializationSettings,
        models: PlayedModels,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("a store");
        let builtin = BuiltinModel {
            id: BUILTIN_MODEL.into(),
            name: "embedder-local".into(),
            model_type: ModelType::Embedding,
            source: "embedder-local".into(),
            description: String::new(),
            parameters: crate::domain::ModelParameters { api_key: "hidden".into(), ..Default::default() },
        };
        store.ensure_builtin_models(&[builtin]).await.expect("writes");
        let access = Access::new(b"0123456789abcdef0123456789abcdef", jwt_secret.as_bytes()).expect("good secrets");
        let settings =
            LibrarySettings { operator_key: Some(OPERATOR_KEY.into()), retriever_engines: retriever_engines_of("postgres"), ..settings };
        let chat = chat_over(store.clone());
        let models = Arc::new(models);
        let pages = Arc::new(PlayedPages::default());
        let registry = models.registry();
        let files = Files::open(&folder.path().join("files")).expect("opens");
        let tokenizer = registry.tokenizer();
        let follower = Follower::open(&folder.path().join("index"), store.clone(), tokenizer, std::sync::Arc::new(TenantScope::mint))
            .await
            .expect("opens");
        let documents = Documents::new(store.clone(), files.clone(), registry.clone(), Arc::new(follower.clone()));
        let search = Search::new(store.clone(), registry.clone(), Arc::new(follower.index().clone()), FusionOrder::default());
        let ingest = Arc::new(Ingest::new(IngestParts {
            store: store.clone(),
            files,
            registry: registry.clone(),
            followers: Arc::new(follower.clone()),
            scope_of: std::sync::Arc::new(TenantScope::mint),
            pages: pages.clone(),
            parser: parsers(ParseChildLimits::default()),
            summary_prompt: String::new(),
        }));
        let library = Library::new(store, access, registry.plugins().clone(), settings);
        let evaluations = Evaluations::new(EvaluationParts {
            store: library.store().clone(),
            chat: chat.chat.clone(),
            ingest: ingest.clone(),
            datasets: Datasets::in_folder(folder.path().join("dataset")),
            scope_of: std::sync::Arc::new(TenantScope::mint),
        });
        let index = IndexCare::new(follower.clone());
        let downloads = Downloads::new(library.store().clone(), registry.clone(), initialization.ollama_optional);
        let initialization = Initialization::new(library.clone(), registry, downloads, initialization);
        let state = AppState { library, chat: chat.chat.clone(), documents, initialization, search, index, evaluations };
        Self {
            router: router(state.clone()),
            chat,
            models,
            state,
            pages,
            ingest,
            follower,
            stop: StopOnDrop(CancellationToken::new()),
            document: Document::load(),
            _folder: folder,
        }
    }

    /// Processes documents and follows their changes until the test ends.
    pub(in crate::http) fn work(&self) {
        let token = self.stop.0.clone();
        let (follower, until) = (self.follower.clone(), token.clone());
        tokio::spawn(async move { follower.run(until).await });
        let timing = JobTiming { poll: Duration::from_millis(20), ..JobTiming::default() };
        let jobs = Jobs::with_timing(self.state.library.store().clone(), timing);
        let downloads = Arc::new(self.state.initialization.downloads().clone());
        tokio::spawn(Worker::run(jobs, vec![self.ingest.clone(), downloads, Arc::new(self.state.evaluations.clone())], 2, token));
    }

    /// An answer whose body is still to be read.
    pub(in crate::http) async fn open(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.expect("an answer")
    }

    pub(in crate::http) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.open(request).await;
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.expect("a body");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body: body.to_vec() }
    }

    pub(in crate::http) async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "kb.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = request.body(body.into()).expect("a request");
        let (method, uri) = (sent.method().clone(), sent.uri().path().to_owned());
        let answer = self.send(sent).await;
        if method != Method::HEAD && answer.header("content-type").starts_with("application/json") {
            self.document.check(&method, &uri, answer.status, &answer.json());
        }
        answer
    }

    pub(in crate::http) async fn get(&self, path: &str, key: &str) -> Answer {
        self.call(Method::GET, path, &[("x-api-key", key)], "").await
    }

    pub(in crate::http) async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[("x-api-key", key)], body.to_string()).await
    }

    pub(in crate::http) async fn put(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, &[("x-api-key", key)], body.to_string()).await
    }

    pub(in crate::http) async fn delete(&self, path: &str, key: &str) -> Answer {
        self.call(Method::DELETE, path, &[("x-api-key", key)], "").await
    }

    pub(in crate::http) async fn open_post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[], body.to_string()).await
    }

    /// With a bearer token instead of a key.
    pub(in crate::http) async fn bearer(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        self.call(method, path, &[("authorization", &format!("Bearer {token}"))], body.to_string()).await
    }

    /// Registers and logs in.
    pub(in crate::http) async fn tester(&self, name: &str) -> Tester {
        let email = format!("{name}@example.com");
        let account = json!({"username": name, "email": email, "password": "secret12"});
        assert_eq!(self.open_post("/api/v1/auth/register", account).await.status, StatusCode::CREATED);
        self.login(&email).await
    }

    pub(in crate::http) async fn login(&self, email: &str) -> Tester {
        let answer = self.open_post("/api/v1/auth/login", json!({"email": email, "password": "secret12"})).await;
        let body = answer.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Tester {
            tenant_id: body["tenant"]["id"].as_i64().expect("a number"),
            email: email.to_owned(),
            key: text(&body["tenant"]["api_key"]),
            token: text(&body["token"]),
            refresh: text(&body["refresh_token"]),
        }
    }
}
