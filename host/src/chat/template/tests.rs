//! Templates as Go renders them, and those that it refuses.
//!
//! Not here: the prompts themselves.

use super::{Template, Value};
use proptest::prelude::*;

fn data() -> Value {
    Value::map([
        ("Query", Value::text("Is <b> & \"q\" kept?")),
        ("Contexts", Value::list([Value::text("first"), Value::text("second")])),
        ("Empty", Value::list([])),
        ("CurrentWeek", Value::text("星期日")),
        ("Count", Value::Int(3)),
        ("Share", Value::Float(0.25)),
        ("Conversation", Value::list([Value::map([("Query", Value::text("q1")), ("Answer", Value::text("a1"))])])),
    ])
}

fn check(template: &str, expected: &str) {
    let rendered = Template::parse("t", template).and_then(|parsed| parsed.render(&data()));
    assert_eq!(rendered.as_deref(), Ok(expected), "{template}");
}

fn check_error(template: &str, expected: &str) {
    let error = Template::parse("t", template).and_then(|parsed| parsed.render(&data())).expect_err(template);
    assert!(error.to_string().contains(expected), "{template:.80}: {error}");
}

#[test]
fn values_reach_the_text_unescaped() {
    check("Q: {{.Query}}", "Q: Is <b> & \"q\" kept?");
    check("<think> {{.CurrentWeek}} <!-- c -->", "<think> 星期日 <!-- c -->");
    check("{{.Query | html}}", "Is &lt;b&gt; &amp; &#34;q&#34; kept?");
    check("{{urlquery \"a b&c\"}} {{js \"it's\"}}", "a+b%26c it\\'s");
}

#[test]
fn ranges_give_index_and_item_and_else() {
    check("{{range .Contexts}}[{{.}}]{{else}}none{{end}}", "[first][second]");
    check("{{range .Empty}}x{{else}}none{{end}}", "none");
    check("{{range .Missing}}x{{else}}none{{end}}", "none");
    check("{{range $i, $x := .Contexts}}{{$i}}={{$x}};{{end}}", "0=first;1=second;");
    check("{{range $x := .Contexts}}{{$x}} {{end}}", "first second ");
    check("{{range .Contexts}}{{.}}{{break}}{{end}}", "first");
    check("{{range $i, $x := .Contexts}}{{if eq $i 0}}{{continue}}{{end}}{{$x}}{{end}}", "second");
    check("{{range 3}}{{.}}{{end}}", "012");
    check("{{range .Conversation}}Q {{.Query}} A {{.Answer}}{{end}}", "Q q1 A a1");
    check("{{range .Contexts}}{{$.Count}}{{end}}", "33");
}

#[test]
fn conditions_choose() {
    check("{{if .Query}}yes{{else}}no{{end}}", "yes");
    check("{{if .Missing}}a{{else if eq .Count 3}}b{{else}}c{{end}}", "b");
    check("{{with .Missing}}a{{else with .Count}}{{.}}{{end}}", "3");
    check("{{with $x := .Count}}{{$x}}{{.}}{{end}}", "33");
    check("{{if and .Query (gt (len .Contexts) 1)}}many{{end}}", "many");
    check("{{if not (or .Missing .Empty)}}none{{end}}", "none");
    check("{{eq .Count 1 2 3}} {{ne .Count 3}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1.5 1.5}}", "true false true true false true");
}

#[test]
fn variables_are_declared_assigned_and_scoped() {
    check("{{$n := 1}}{{range .Contexts}}{{$n = 2}}{{end}}{{$n}}", "2");
    check("{{$n := 1}}{{if true}}{{$n := 5}}{{$n}}{{end}}{{$n}}", "51");
    check_error("{{if true}}{{$n := 5}}{{end}}{{$n}}", "undefined variable \"$n\"");
}

#[test]
fn pipelines_and_functions_work_as_in_go() {
    check("{{index .Contexts 1}} {{index .Conversation 0 \"Answer\"}}", "second a1");
    check("{{(index .Conversation 0).Query}}", "q1");
    check("{{slice \"abcdef\" 1 3}} {{len (slice .Contexts 1)}}", "bc 1");
    check("{{print 1 2 \"a\" 3}}|{{println \"a\" 1}}", "1 2a3|a 1\n");
    check(
        "{{printf \"%d %s %q %v %5.2f|%-4s|%04d|%x\" 7 \"a\" \"b\" .Contexts 1.5 \"c\" 42 255}}",
        "7 a \"b\" [first second]  1.50|c   |0042|ff",
    );
    check("{{printf \"%d\" \"a\"}} {{printf \"%d\"}} {{printf \"a\" 1}}", "%!d(string=a) %!d(MISSING) a%!(EXTRA int=1)");
    check("{{.Contexts | len | printf \"%02d\"}}", "02");
    check("{{.Share}} {{1e21}} {{0.00001}} {{1e6}} {{0x1F}} {{'a'}}", "0.25 1e+21 1e-05 1e+06 31 97");
    check("{{.Missing}}{{print .Missing}}", "<nil>");
}

#[test]
fn trim_markers_and_comments_leave_no_trace() {
    check("a \n {{- .Count -}} \n b", "a3b");
    check("a {{- /* why */ -}} b{{/* x }} y */}}c", "abc");
    check("{{-3}} {{- 3}}", "-33");
    check("{{\"}}\"}}{{`raw {{ }}`}}", "}}raw {{ }}");
}

#[test]
fn blocks_are_defined_and_called() {
    check("{{define \"one\"}}<{{.}}>{{end}}{{range .Contexts}}{{template \"one\" .}}{{end}}", "<first><second>");
    check("{{block \"two\" .Count}}n={{.}}{{end}}", "n=3");
    check_error("{{template \"none\"}}", "not defined");
    check_error("{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", "too deeply");
}

#[test]
fn errors_name_the_line() {
    let error = Template::parse("searchContent", "one\ntwo {{query}}").expect_err("unknown function");
    assert_eq!(error.to_string(), "template: searchContent:2: function \"query\" not defined");
    for (text, message) in [
        ("{{", "unclosed action"),
        ("{{if .A}}", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{else}}", "unexpected {{end}} or {{else}}"),
        ("{{}}", "missing value"),
        ("{{nil}}", "nil is not a command"),
        ("{{.A | 3}}", "non executable"),
        ("{{\"a}}", "unterminated"),
        ("{{/* a", "unclosed comment"),
        ("{{break}}", "outside"),
        ("{{.Count.Deep}}", "can't evaluate field Deep"),
        ("{{.Missing.Deep}}", "nil data"),
        ("{{index .Contexts 9}}", "out of range"),
        ("{{eq 1 \"a\"}}", "incompatible types"),
        ("{{.Query 1}}", "can't give argument"),
        ("{{range .Query}}{{end}}", "can't iterate"),
        ("{{len 3}}", "len of type int"),
        ("{{(.A}}", "unclosed left paren"),
    ] {
        check_error(text, message);
    }
}

#[test]
fn no_template_runs_or_grows_for_ever() {
    check_error("{{range 100000000}}{{range 100000000}}{{end}}{{end}}", "does not end");
    check_error("{{$x := \"0123456789\"}}{{range 1000}}{{$x = print $x $x}}{{end}}", "does not end");
    check_error("{{range 100000}}0123456789012345678901234567890123456789012345678901234567890123456789{{end}}", "bytes");
    check_error("{{printf \"%99999999d\" 1}}", "width");
    let deep = "{{if true}}".repeat(2_000) + &"{{end}}".repeat(2_000);
    check_error(&deep, "nested too deeply");
    check_error(&format!("{{{{{}1{}}}}}", "(".repeat(2_000), ")".repeat(2_000)), "nested too deeply");
    check_error(&("{{if .A}}".to_owned() + &"{{else if .A}}".repeat(2_000) + "{{end}}"), "nested too deeply");
}

proptest! {
    #[test]
    fn text_without_braces_comes_back_as_it_was(text in "[^{]{0,200}") {
        let parsed = Template::parse("t", &text).expect("plain text");
        prop_assert_eq!(parsed.render(&data()).expect("renders"), text);
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "\\PC{0,120}") {
        let _ = Template::parse("t", &text).and_then(|parsed| parsed.render(&data()));
    }

    #[test]
    fn any_mix_of_parts_is_read_without_a_panic(parts in proptest::collection::vec(part(), 0..24)) {
        let _ = Template::parse("t", &parts.concat()).and_then(|parsed| parsed.render(&data()));
    }

    #[test]
    fn a_query_is_never_changed(query in "\\PC{0,80}") {
        let parsed = Template::parse("t", "{{.Query}}").expect("valid");
        prop_assert_eq!(parsed.render(&Value::map([("Query", Value::text(&query))])).expect("renders"), query);
    }
}

fn part() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "if",
        "range",
        "else",
        "end",
        "with",
        "{{end}}",
        "{{else}}",
        ".",
        ".Query",
        "$",
        "$x",
        ":=",
        "=",
        "|",
        "(",
        ")",
        "\"",
        "`",
        "'",
        "printf",
        "\"%d%*s\"",
        "1",
        "-1",
        "0x",
        "1e9",
        "index",
        "slice",
        ".Contexts",
        ",",
        "é",
        "中",
        "\n",
        "/*",
        "*/",
        "{{range .Contexts}}",
        "{{if .Query}}",
        "{{define \"a\"}}",
        "{{template \"a\"}}",
        "{{break}}",
        "nil",
        "eq",
        "len",
    ])
}
