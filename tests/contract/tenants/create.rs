//! POST /tenants: a tenant that the caller has no power over.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn a_name_is_enough() {
    let scene = Scene::new();
    let answer = scene.key().send("POST /tenants", Some(json!({ "name": "Harbour" }).to_string()));
    let shown = scene.shown(&answer).replace(&answer.json["data"]["id"].to_string(), "<number>");
    assert_snapshot!(shown, @r#"
    201
    {
      "data": {
        "id": <number>,
        "name": "Harbour",
        "description": "",
        "api_key": "<key>",
        "status": "active",
        "retriever_engines": {
          "engines": []
        },
        "business": "",
        "storage_quota": 10737418240,
        "storage_used": 0,
        "created_at": "<time>",
        "updated_at": "<time>",
        "deleted_at": null
      },
      "success": true
    }
    "#);
}

#[test]
fn what_the_server_decides_can_not_be_sent() {
    let scene = Scene::new();
    let body = json!({ "id": 1, "name": "Chosen", "api_key": "sk-mine", "status": "suspended", "storage_used": 5, "deleted_at": "2026-01-01T00:00:00Z" });
    let made = scene.key().send("POST /tenants", Some(body.to_string())).json["data"].take();
    assert_ne!(made["id"], 1);
    assert_ne!(made["api_key"], "sk-mine");
    assert_eq!((&made["status"], &made["storage_used"], &made["deleted_at"]), (&json!("active"), &json!(0), &json!(null)));
}

#[test]
fn a_tenant_needs_a_name() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("POST /tenants", json!({ "description": "nameless" })), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "tenant name cannot be empty",
        "message": "Failed to create tenant"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with("POST /tenants", json!({ "name": 7 })), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "json: cannot unmarshal number into Go struct field Tenant.name of type string",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
}

#[test]
fn what_is_not_applied_must_have_its_type_all_the_same() {
    let scene = Scene::new();
    for (field, value, details) in [
        ("id", json!("x"), "json: cannot unmarshal string into Go struct field Tenant.id of type uint"),
        ("storage_quota", json!(1.5), "json: cannot unmarshal number 1.5 into Go struct field Tenant.storage_quota of type int64"),
        ("status", json!(7), "json: cannot unmarshal number into Go struct field Tenant.status of type string"),
        ("created_at", json!(7), "Time.UnmarshalJSON: input is not a JSON string"),
        (
            "retriever_engines",
            json!([]),
            "json: cannot unmarshal array into Go struct field Tenant.retriever_engines of type types.RetrieverEngines",
        ),
    ] {
        let answer = scene.key().send("POST /tenants", Some(json!({ "name": "Harbour", (field): value }).to_string()));
        let expected = json!({ "error": { "code": 1010, "details": details, "message": "Invalid request parameters" }, "success": false });
        assert_eq!((answer.status, &answer.json), (400, &expected), "{field}");
    }
}
