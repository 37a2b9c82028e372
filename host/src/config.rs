//! Settings from built-in defaults, config.yaml, .env, environment and flags, later ones winning. Nothing else reads the environment.
