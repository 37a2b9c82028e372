//! DELETE /tenants/{id}: the end of one's own tenant and of all its credentials.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn all_credentials_end_with_it() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("DELETE /tenants/{}", scene.tenant_id())), @r#"
    200
    {
      "message": "Tenant deleted successfully",
      "success": true
    }
    "#);
    assert_snapshot!(scene.key().ask("GET /models"), @r#"
    401
    {
      "error": "Unauthorized: invalid API key"
    }
    "#);
    assert_snapshot!(scene.token().ask("GET /models"), @r#"
    401
    {
      "error": "Unauthorized: invalid tenant"
    }
    "#);
}

#[test]
fn no_other_can_be_deleted() {
    let scene = Scene::new();
    let other = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("DELETE /tenants/{}", other.tenant_id())), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": "tenant not found",
        "message": "Failed to delete tenant"
      },
      "success": false
    }
    "#);
    assert!(other.key().ask("GET /models").starts_with("200"));
}
