//! GET /auth/validate: whether the bearer token is good, and whose it is.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn a_good_token_shows_its_person() {
    let scene = Scene::new();
    assert_snapshot!(scene.token().ask("GET /auth/validate"), @"");
}

#[test]
fn a_key_is_no_token() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /auth/validate"), @"");
}

#[test]
fn without_credentials_nothing_is_told() {
    let scene = Scene::new();
    assert_snapshot!(scene.anonymous().ask("GET /auth/validate"), @"");
}
