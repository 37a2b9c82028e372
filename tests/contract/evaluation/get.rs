//! GET /evaluation/: how far a run is.

use crate::scene::Scene;
use insta::assert_snapshot;

#[test]
fn the_run_must_be_named() {
    let scene = Scene::new();
    let expected = scene.key().ask("GET /evaluation/?task_id=");
    assert_snapshot!(expected, @r#"
    400
    {
      "error": {
        "code": 1000,
        "details": "Key: 'GetEvaluationRequest.TaskID' Error:Field validation for 'TaskID' failed on the 'required' tag",
        "message": "Invalid request parameters"
      },
      "success": false
    }
    "#);
    assert_eq!(scene.key().ask("GET /evaluation/"), expected);
}

#[test]
fn one_that_is_not_there_is_404() {
    let scene = Scene::new();
    assert_snapshot!(scene.key().ask("GET /evaluation/?task_id=none"), @r#"
    404
    {
      "error": {
        "code": 1003,
        "details": null,
        "message": "task not found"
      },
      "success": false
    }
    "#);
}
