//! REST and SSE: the only room that knows axum, status codes and wire JSON. Not here: SQL, providers, plugins.
