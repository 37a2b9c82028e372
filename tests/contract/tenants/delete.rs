//! DELETE /tenants/{id}: the end of one's own tenant and of all its credentials.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn all_credentials_end_with_it() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("DELETE /tenants/{}", scene.tenant_id())), @"");
    assert_snapshot!(scene.key().ask("GET /models"), @"");
    assert_snapshot!(scene.token().ask("GET /models"), @"");
}

#[test]
fn no_other_can_be_deleted() {
    let scene = Scene::new();
    let other = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("DELETE /tenants/{}", other.tenant_id())), @"");
    assert!(other.key().ask("GET /models").starts_with("200"));
}
