//! GET /tenants/{id}: one's own tenant.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn ones_own_is_shown() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask(&format!("GET /tenants/{}", scene.tenant_id())), @"");
}

#[test]
fn no_other_exists() {
    let scene = Scene::new();
    let other = Scene::new();
    let answer = scene.key().ask(&format!("GET /tenants/{}", other.tenant_id()));
    assert_eq!(answer, scene.key().ask("GET /tenants/987654321"));
    assert_eq!(answer, scene.key().ask("GET /tenants/0"));
    assert_snapshot!(answer, @"");
}

#[test]
fn ids_are_numbers() {
    let scene = Scene::new();
    for id in ["abc", "-1", "+1", "0x1", "1.0", "18446744073709551616"] {
        let answer = scene.key().ask(&format!("GET /tenants/{id}"));
        assert!(answer.starts_with("400\n") && answer.contains("Invalid tenant ID") && answer.contains("1000"), "{id}: {answer}");
    }
}
