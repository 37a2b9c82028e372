//! GET /auth/me: the person behind a token and their tenant.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn person_and_tenant_stand_under_data() {
    let scene = Scene::new();
    assert_snapshot!(scene.token().ask("GET /auth/me"), @"");
}

#[test]
fn a_key_belongs_to_no_person() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /auth/me"), @"");
}
