//! Secrets: where they arrive, and that nobody else sees them.

use super::*;

#[tokio::test]
async fn secret_arrives_in_the_header_that_was_named_and_nowhere_else() {
    let (url, mut heard) = listen(OK).await;
    let placed = io::PlacedSecret { name: "X-Api-Key".into(), prefix: "key ".into(), secret: "api_key".into() };
    for (auth, line) in [
        (io::Auth::Bearer("api_key".into()), "authorization: Bearer sk-the-secret"),
        (io::Auth::Header(placed), "x-api-key: key sk-the-secret"),
    ] {
        let mut ops = ops(&url);
        assert!(matches!(
            event(&mut ops, io::Ask::Http(io::HttpRequest { auth: vec![auth], ..get(1, &url) })).await,
            io::Event::HttpHead(_)
        ));
        let heard = heard.recv().await.unwrap();
        let with_secret: Vec<_> = heard.lines().filter(|line| line.contains(SECRET)).collect();
        assert_eq!(with_secret, [line]);
    }
}

#[tokio::test]
async fn secret_in_the_query_reaches_the_server_and_never_the_plugin() {
    // The server sends its whole address back, as a redirect would.
    let echo =
        b"HTTP/1.1 302 Found\r\nLocation: /elsewhere?x=1&key=v%2Fsk-the-secret\r\nX-Plain: sk-the-secret\r\nConnection: close\r\n\r\n";
    let (url, mut heard) = listen(echo).await;
    let placed = io::PlacedSecret { name: "key".into(), prefix: "v/".into(), secret: "api_key".into() };
    let request = io::HttpRequest { auth: vec![io::Auth::Query(placed)], ..get(1, &format!("{url}/a?x=1")) };
    match event(&mut ops(&url), io::Ask::Http(request)).await {
        io::Event::HttpHead(head) => {
            assert!(head.headers.contains(&header("location", "/elsewhere?x=1&key=v%2F***")), "{head:?}");
            assert!(!format!("{head:?}").contains(SECRET), "{head:?}");
        }
        other => panic!("{other:?}"),
    }
    let heard = heard.recv().await.unwrap();
    assert!(heard.starts_with("GET /a?x=1&key=v%2Fsk-the-secret HTTP/1.1\r\n"), "{heard}");
    assert_eq!(heard.matches(SECRET).count(), 1, "{heard}");
}

#[tokio::test]
async fn failed_exchange_with_a_secret_in_the_query_does_not_tell_it() {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{unused}");
    let placed = io::PlacedSecret { name: "key".into(), prefix: String::new(), secret: "api_key".into() };
    let request = io::HttpRequest { auth: vec![io::Auth::Query(placed)], ..get(1, &url) };
    let (kind, text) = fault(&mut ops(&url), io::Ask::Http(request)).await;
    assert!(kind == io::Fault::Connect && !text.contains(SECRET) && !text.contains("key="), "{text}");
}

#[tokio::test]
async fn signed_request_carries_the_access_key_and_never_the_secret_key() {
    let (url, mut heard) = listen(OK).await;
    let lines = "\n[secrets]\naccess_key = [\"{base_url}\"]\nsecret_key = [\"{base_url}\"]\n";
    let manifest = MANIFEST.replace("secrets = { api_key = [\"{base_url}\"] }\n", "") + lines;
    let parameters = serde_json::json!({ "access_key": "AKIDEXAMPLE", "secret_key": SECRET });
    let parameters = serde_json::from_value(parameters).unwrap();
    let env = env_with(&url, "", 0, None);
    let env = CallEnv {
        room: env.room.clone(),
        plugin: env.plugin.clone(),
        grants: Arc::new(Grants::of(&Manifest::parse(&manifest).unwrap())),
        base_url: env.base_url.clone(),
        secrets: Secrets::of_row(&parameters, &["access_key", "secret_key"]),
        context: env.context.clone(),
        revoked: env.revoked.clone(),
    };
    let env = Arc::new(env);
    let sigv4 = |secret_key: &str| {
        let (region, service) = ("eu-west-1".into(), "bedrock".into());
        vec![io::Auth::Sigv4(io::Sigv4 { access_key: "access_key".into(), secret_key: secret_key.into(), region, service })]
    };
    let request = io::HttpRequest { method: "POST".into(), body: b"{}".to_vec(), auth: sigv4("secret_key"), ..get(1, &url) };
    assert!(matches!(event(&mut Ops::new(env.clone()), io::Ask::Http(request)).await, io::Event::HttpHead(_)));
    let heard = heard.recv().await.unwrap();
    let line = heard.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap();
    assert!(line.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") && line.contains("/eu-west-1/bedrock/aws4_request, "), "{line}");
    assert!(line.contains("SignedHeaders=host;x-amz-date, Signature=") && heard.contains("x-amz-date: 20"), "{heard}");
    assert!(!heard.contains(SECRET));
    let request = io::HttpRequest { auth: sigv4("api_key"), ..get(1, &url) };
    let (kind, text) = fault(&mut Ops::new(env), io::Ask::Http(request)).await;
    assert!(kind == io::Fault::Denied && text.contains("the secret api_key is not granted"), "{text}");
}

#[tokio::test]
async fn secret_goes_over_plain_http_to_listed_private_hosts_only() {
    let public = "http://93.184.216.34";
    let auth = vec![io::Auth::Bearer("api_key".into())];
    let (kind, text) = fault(&mut ops(public), io::Ask::Http(io::HttpRequest { auth, ..get(1, public) })).await;
    assert!(kind == io::Fault::Denied && text.contains("plain http"), "{text}");
}

#[tokio::test]
async fn basic_login_is_made_by_the_host_and_hidden_when_the_server_repeats_it() {
    // dXNlcjpzay10aGUtc2VjcmV0 is user:sk-the-secret.
    let echo = b"HTTP/1.1 200 OK\r\nX-Echo: Basic dXNlcjpzay10aGUtc2VjcmV0\r\nConnection: close\r\n\r\nyou sent dXNlcjpzay10aGUtc2VjcmV0 (sk-the-secret)";
    let (url, mut heard) = listen(echo).await;
    let login = io::BasicLogin { user: "user".into(), secret: "api_key".into() };
    let mut ops = ops(&url);
    match event(&mut ops, io::Ask::Http(io::HttpRequest { auth: vec![io::Auth::Basic(login)], ..get(1, &url) })).await {
        io::Event::HttpHead(head) => assert!(head.headers.contains(&header("x-echo", "Basic ***")), "{head:?}"),
        other => panic!("{other:?}"),
    }
    let mut body = Vec::new();
    while let io::Event::HttpChunk(chunk) = event(&mut ops, io::Ask::Read(1)).await {
        body.extend(chunk.data);
    }
    assert_eq!(String::from_utf8(body).unwrap(), "you sent *** (***)");
    assert!(heard.recv().await.unwrap().contains("authorization: Basic dXNlcjpzay10aGUtc2VjcmV0\r\n"));
}

#[tokio::test]
async fn several_secrets_go_to_different_places_or_nowhere() {
    let (url, mut heard) = listen(OK).await;
    let bearer = || io::Auth::Bearer("api_key".into());
    let placed = |name: &str| io::PlacedSecret { name: name.into(), prefix: String::new(), secret: "api_key".into() };
    let with = |auth: Vec<io::Auth>| io::Ask::Http(io::HttpRequest { auth, ..get(1, &url) });
    let both = with(vec![bearer(), io::Auth::Query(placed("key")), io::Auth::Header(placed("x-second"))]);
    assert!(matches!(event(&mut ops(&url), both).await, io::Event::HttpHead(_)));
    let heard_first = heard.recv().await.unwrap();
    assert_eq!(heard_first.matches(SECRET).count(), 3, "{heard_first}");
    let basic = |user: &str| io::Auth::Basic(io::BasicLogin { user: user.into(), secret: "api_key".into() });
    let sign = || {
        let (access_key, secret_key) = ("api_key".into(), "api_key".into());
        io::Auth::Sigv4(io::Sigv4 { access_key, secret_key, region: "r".into(), service: "s".into() })
    };
    let refused = [
        (vec![bearer(), basic("u")], "set twice"),
        (vec![io::Auth::Header(placed("x-a")), io::Auth::Header(placed("X-A"))], "set twice"),
        (vec![sign(), io::Auth::Query(placed("key"))], "the last"),
        (vec![bearer(), sign()], "no other authorization"),
        (vec![basic("a:b")], "no colon"),
        (vec![bearer(); 5], "the limit is 4"),
    ];
    for (auth, words) in refused {
        let (kind, text) = fault(&mut ops(&url), with(auth)).await;
        assert!(kind == io::Fault::Denied && text.contains(words), "{words}: {text}");
    }
    assert!(heard.try_recv().is_err(), "nothing was sent for a refused request");
}
