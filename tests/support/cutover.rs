//! Two servers behind one address, as `examples/cutover` sets them up.

use crate::side_server::{SideServer, free_port, python, wait_ready};
use crate::{Server, repository};
use std::process::{Command, Stdio};

/// The stand-in for the old server, on the database of a running Knowhost.
pub fn old_server(server: &Server) -> SideServer {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let script = repository("tests/servers/old_server.py");
    let database = server.data_dir().join("knowhost.db");
    let child = python(&[&script.to_string_lossy(), &database.to_string_lossy(), &port.to_string()]).spawn().expect("the stand-in starts");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_ready(&format!("{}/health", server.url()));
    server
}

/// nginx with the configuration of the example; only the addresses and the way it runs differ.
pub fn nginx(old: &str, new: &str) -> SideServer {
    let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
    let example = std::fs::read_to_string(repository("examples/cutover/nginx.conf")).expect("the example");
    let without_scheme = |url: &str| url.trim_start_matches("http://").to_owned();
    let mut text = example;
    for (shown, real) in
        [("127.0.0.1:8081", without_scheme(old)), ("127.0.0.1:8082", without_scheme(new)), ("127.0.0.1:8080", format!("127.0.0.1:{port}"))]
    {
        assert_eq!(text.matches(shown).count(), 1, "{shown} stands once in the example");
        text = text.replace(shown, &real);
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("    {name}_temp_path temporary_{name};\n"));
    text = text.replacen("http {\n", &format!("daemon off;\nmaster_process off;\nhttp {{\n{}", temporary.concat()), 1);
    std::fs::write(folder.path().join("nginx.conf"), text).expect("written");
    std::fs::copy(repository("examples/cutover/moved.map"), folder.path().join("moved.map")).expect("copied");
    let prefix = format!("{}/", folder.path().display());
    let child = Command::new("nginx")
        .args(["-p", &prefix, "-c", "nginx.conf", "-e", "stderr"])
        .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
        .stdin(Stdio::null())
        .spawn()
        .expect("nginx starts; `tests/run server` installs it");
    let server = SideServer::new(child, format!("http://127.0.0.1:{port}"), folder);
    wait_ready(&format!("{}/health", server.url()));
    server
}
