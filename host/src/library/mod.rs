//! Tenants, users, knowledge bases, knowledge, models: create, change, delete, quota, access. Not here: HTTP, WASM.
