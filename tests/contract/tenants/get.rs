//! GET /tenants/{id}: one's own tenant.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn ones_own_is_shown() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("GET /tenants/{}", scene.tenant_id())), @r#"
    200
    {
      "data": {
        "id": "<tenant>",
        "name": "ann's Workspace",
        "description": "Default workspace",
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
fn no_other_exists() {
    let scene = Scene::new();
    let other = Scene::new();
    let answer = scene.key().ask(&format!("GET /tenants/{}", other.tenant_id()));
    assert_eq!(answer, scene.key().ask("GET /tenants/987654321"));
    assert_snapshot!(answer, @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": "tenant not found",
        "message": "Failed to retrieve tenant"
      },
      "success": false
    }
    "#);
}

#[test]
fn ids_are_numbers() {
    let scene = Scene::new();
    assert!(scene.key().ask("GET /tenants/0").contains("tenant ID cannot be 0"));
    for id in ["abc", "-1", "+1", "0x1", "1.0", "18446744073709551616"] {
        let answer = scene.key().ask(&format!("GET /tenants/{id}"));
        assert!(answer.starts_with("400\n") && answer.contains("Invalid tenant ID") && answer.contains("1000"), "{id}: {answer}");
    }
}
