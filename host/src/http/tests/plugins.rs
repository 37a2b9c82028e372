//! The operator's routes for plugins: who may use them, and what they answer.

use super::TestApp;
use super::support::OPERATOR_KEY;
use crate::error::{Error, Result};
use crate::library::LibrarySettings;
use crate::provider::{PluginDesk, PluginForm, PluginGrants, PluginGrantsChange, PluginListing, PluginState};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// One plugin `mine` whose state is what was decided last.
struct OnePlugin(Mutex<PluginListing>);

impl PluginDesk for OnePlugin {
    fn list(&self) -> Result<Vec<PluginListing>> {
        Ok(vec![self.0.lock().unwrap().clone()])
    }

    fn allow(&self, name: &str, digest: Option<&str>) -> Result<PluginListing> {
        let mut plugin = self.0.lock().unwrap();
        if name != plugin.name {
            return Err(Error::not_found("there is no such plugin"));
        }
        if digest.is_some_and(|digest| digest != plugin.digest) {
            return Err(Error::Conflict("another file".into()));
        }
        plugin.state = PluginState::Allowed;
        Ok(plugin.clone())
    }

    fn allow_native(&self, name: &str, digest: &str) -> Result<PluginListing> {
        let mut plugin = self.allow(name, Some(digest))?;
        plugin.form = PluginForm::Native;
        self.0.lock().unwrap().form = PluginForm::Native;
        Ok(plugin)
    }

    fn grant(&self, name: &str, change: &PluginGrantsChange) -> Result<PluginListing> {
        self.allow(name, None)?;
        let mut plugin = self.0.lock().unwrap();
        let allowed_hosts = change.allowed_hosts.clone().unwrap_or_else(|| plugin.allowed_hosts.clone());
        plugin.granted = Some(PluginGrants { allowed_hosts, ..PluginGrants::default() });
        Ok(plugin.clone())
    }

    fn roll_back(&self, name: &str) -> Result<PluginListing> {
        self.allow(name, None)?;
        Err(Error::Conflict("it is the first version".into()))
    }

    fn deny(&self, name: &str) -> Result<()> {
        self.allow(name, None)?;
        self.0.lock().unwrap().state = PluginState::Waiting;
        Ok(())
    }
}

async fn app(settings: LibrarySettings) -> TestApp {
    let app = TestApp::with(settings).await;
    let listing = json!({
        "name": "mine", "title": "Mine", "version": "1.0.0", "licence": "MIT", "digest": "abc", "kinds": [], "profile": "network",
        "allowed_hosts": ["{base_url}"], "secrets": { "api_key": ["{base_url}"] }, "allowed_models": [], "cache_bytes_max": 0,
        "memory_bytes_max": 1, "turn_ms_max": 20, "models": [], "file": "mine.wasm", "state": "changed", "allowed_digest": "def",
        "loaded_from": null, "load_time_us": 0, "instances": 0, "memory_bytes": 0, "paused": null,
    });
    let listing: PluginListing = serde_json::from_value(listing).expect("a listing");
    assert_eq!(listing.state, PluginState::Changed { allowed_digest: "def".into() });
    app.state.library.set_plugin_desk(Arc::new(OnePlugin(Mutex::new(listing))));
    app
}

#[tokio::test]
async fn operator_lists_allows_and_denies() {
    let app = app(LibrarySettings::default()).await;
    let listed = app.get("/api/v1/plugins", OPERATOR_KEY).await.data();
    assert_eq!((&listed[0]["state"], &listed[0]["allowed_digest"]), (&json!("changed"), &json!("def")));
    let other = app.post("/api/v1/plugins/mine/allow", OPERATOR_KEY, json!({ "digest": "def" })).await;
    assert_eq!((other.failure().0, other.failure().1), (409, 1005));
    let allowed = app.post("/api/v1/plugins/mine/allow", OPERATOR_KEY, json!({ "digest": "abc" })).await.data();
    assert_eq!(allowed["state"], "allowed");
    let native = app.post("/api/v1/plugins/mine/allow", OPERATOR_KEY, json!({ "digest": "abc", "allow_native": true })).await.data();
    assert_eq!(native["form"], "native");
    let blind = app.post("/api/v1/plugins/mine/allow", OPERATOR_KEY, json!({ "allow_native": true })).await;
    assert_eq!((blind.failure().0, blind.failure().1), (400, 1000));
    let grants = "/api/v1/plugins/mine/grants";
    let kept = app.put(grants, OPERATOR_KEY, json!({})).await.data();
    assert_eq!(kept["granted"]["allowed_hosts"], json!(["{base_url}"]));
    let narrowed = app.put(grants, OPERATOR_KEY, json!({ "allowed_hosts": [] })).await.data();
    assert_eq!(narrowed["granted"]["allowed_hosts"], json!([]));
    assert_eq!(app.put(grants, OPERATOR_KEY, json!({ "allowed_hosts": "all" })).await.failure().0, 400);
    assert_eq!(app.get("/api/v1/plugins/mine", OPERATOR_KEY).await.data()["granted"], narrowed["granted"]);
    let back = app.post("/api/v1/plugins/mine/rollback", OPERATOR_KEY, json!(null)).await;
    assert_eq!((back.failure().0, back.failure().1), (409, 1005));
    assert_eq!(app.post("/api/v1/plugins/none/allow", OPERATOR_KEY, json!({})).await.failure().0, 404);
    assert_eq!(app.post("/api/v1/plugins/mine/allow", OPERATOR_KEY, json!("nonsense")).await.failure().0, 400);
    assert_eq!(app.post("/api/v1/plugins/mine/deny", OPERATOR_KEY, json!(null)).await.status, 200);
    assert_eq!(app.get("/api/v1/plugins", OPERATOR_KEY).await.data()[0]["state"], "waiting");
    assert_eq!(app.post("/api/v1/plugins/none/deny", OPERATOR_KEY, json!(null)).await.failure().0, 404);
}

#[tokio::test]
async fn tenants_have_no_say_about_plugins() {
    let app = app(LibrarySettings::default()).await;
    let ann = app.tester("ann").await;
    for answer in [
        app.get("/api/v1/plugins", &ann.key).await,
        app.post("/api/v1/plugins/mine/allow", &ann.key, json!({})).await,
        app.post("/api/v1/plugins/mine/deny", &ann.key, json!({})).await,
        app.get("/api/v1/plugins/mine", &ann.key).await,
        app.put("/api/v1/plugins/mine/grants", &ann.key, json!({})).await,
        app.post("/api/v1/plugins/mine/rollback", &ann.key, json!(null)).await,
    ] {
        assert_eq!((answer.failure().0, answer.failure().1), (403, 1002));
    }
    assert_eq!(app.get("/api/v1/plugins", "").await.status, 401);
    assert_eq!(app.get("/api/v1/plugins", OPERATOR_KEY).await.data()[0]["state"], "changed", "nothing was decided");
}

#[tokio::test]
async fn owner_of_the_data_folder_is_an_operator_and_an_unset_key_is_nobodys() {
    let local = "a-key-out-of-the-data-folder";
    let app = app(LibrarySettings { local_key: Some(local.into()), ..LibrarySettings::default() }).await;
    assert_eq!(app.get("/api/v1/plugins", local).await.status, 200);
    assert_eq!(app.get("/api/v1/plugins", "a-key-out-of-the-data-folder-2").await.status, 401);
}
