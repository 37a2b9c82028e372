//! GET /tenants: one's own tenant, under `items`.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn only_ones_own_is_listed() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /tenants"), @"");
}
