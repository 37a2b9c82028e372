//! PUT /tenants/{id}: name, description, business and engines of one's own tenant.

use crate::scene::Scene;
use insta::assert_snapshot;
use serde_json::json;

#[test]
fn fields_that_are_not_named_stay() {
    let scene = Scene::new();
    let route = format!("PUT /tenants/{}", scene.tenant_id());
    assert_snapshot!(scene.key().ask_with(&route, json!({ "description": "By the sea" })), @r#"
    200
    {
      "data": {
        "id": "<tenant>",
        "name": "ann's Workspace",
        "description": "By the sea",
        "api_key": "<key>",
        "status": "active",
        "retriever_engines": {
          "engines": [
            {
              "retriever_engine_type": "postgres",
              "retriever_type": "keywords"
            },
            {
              "retriever_engine_type": "postgres",
              "retriever_type": "vector"
            }
          ]
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
fn an_empty_key_makes_a_new_one_and_any_other_text_is_refused() {
    let scene = Scene::new();
    let route = format!("PUT /tenants/{}", scene.tenant_id());
    assert_snapshot!(scene.key().ask_with(&route, json!({ "api_key": "sk-free-choice" })), @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "an API key can not be chosen: leave api_key out, or send an empty text for a new key",
        "message": "Failed to update tenant"
      },
      "success": false
    }
    "#);
    let answer = scene.key().send(&route, Some(json!({ "api_key": "" }).to_string()));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(scene.key().send("GET /models", None).status, 401, "the old key is dead");
}

#[test]
fn what_the_server_decides_stays() {
    let scene = Scene::new();
    let route = format!("PUT /tenants/{}", scene.tenant_id());
    let body = json!({ "id": 5, "status": "gone", "storage_quota": 1, "storage_used": 9, "deleted_at": "2026-01-01T00:00:00Z" });
    let row = scene.key().send(&route, Some(body.to_string())).json["data"].take();
    assert_eq!(
        (&row["id"], &row["status"], &row["storage_used"], &row["deleted_at"]),
        (&json!(scene.tenant_id()), &json!("active"), &json!(0), &json!(null))
    );
    assert_eq!(row["storage_quota"], 10_737_418_240_u64);
}

#[test]
fn others_and_bad_bodies_are_refused() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask_with("PUT /tenants/987654321", json!({ "name": "x" })), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": "tenant not found",
        "message": "Failed to update tenant"
      },
      "success": false
    }
    "#);
    assert_snapshot!(scene.key().ask_with(&format!("PUT /tenants/{}", scene.tenant_id()), json!({ "name": [] })), @r#"
    400
    {
      "error": {
        "code": 1010,
        "details": "json: cannot unmarshal array into Go struct field Tenant.name of type string",
        "message": "Invalid request data"
      },
      "success": false
    }
    "#);
}
