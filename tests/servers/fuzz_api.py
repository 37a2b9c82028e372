"""Asks the whole described API of a running server, with good, bad and made-up input (schemathesis), and checks every answer.

    fuzz_api.py URL KEY OPERATOR_KEY SEED EXAMPLES

No answer may be a 500, have a status or a content type that the description does not name for it, or a body outside its schema; fields
that the description does not know are outside. Prints what was found and ends with 1 if anything was.
"""

import json
import sys
import time

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
REQUEST_S = 60


class Server:
    """The server, with things to point at that really exist."""

    def __init__(self, url, key, operator_key):
        self.url, self.key, self.operator_key = url, key, operator_key
        self.http = requests.Session()
        self.http.trust_env = False
        self.people = 0
        self.things = {}

    def call(self, method, path, status, key=None, **options):
        answer = self.http.request(method, self.url + path, headers={"X-API-Key": key or self.key}, timeout=REQUEST_S, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def make_person(self):
        """A tenant of its own with a login: what asks about it can not hurt the others."""
        self.people += 1
        account = {"username": f"person{self.people}", "email": f"person{self.people}@example.com", "password": "secret12"}
        self.call("POST", "/api/v1/auth/register", 201, json=account)
        login = self.call("POST", "/api/v1/auth/login", 200, json=account)
        self.things.update(tenant=str(login["tenant"]["id"]), tenant_key=login["tenant"]["api_key"], token=login["token"])

    def make_things(self):
        kb = self.call("POST", "/api/v1/knowledge-bases", 201, json={"name": "kb"})["data"]["id"]
        upload = {"file": (f"note{time.monotonic_ns()}.txt", f"The ferry leaves at seven. {time.monotonic_ns()}")}
        knowledge = self.call("POST", f"/api/v1/knowledge-bases/{kb}/knowledge/file", 200, files=upload)["data"]["id"]
        deadline = time.monotonic() + REQUEST_S
        while self.call("GET", f"/api/v1/knowledge/{knowledge}", 200)["data"]["parse_status"] not in ("completed", "failed"):
            assert time.monotonic() < deadline, "the document was not read"
            time.sleep(0.1)
        chunk = self.call("GET", f"/api/v1/chunks/{knowledge}", 200)["data"][0]["id"]
        session = self.call("POST", "/api/v1/sessions", 201, json={"knowledge_base_id": kb})["data"]["id"]
        self.http.post(self.url + f"/api/v1/knowledge-chat/{session}", json={"query": "When?"}, headers={"X-API-Key": self.key}, timeout=REQUEST_S)
        message = self.call("GET", f"/api/v1/messages/{session}/load", 200)["data"][-1]["id"]
        model = {"name": "m", "type": "KnowledgeQA", "source": "remote", "parameters": {"base_url": "http://127.0.0.1:9"}}
        model = self.call("POST", "/api/v1/models", 201, json=model)["data"]["id"]
        self.things.update(kb=kb, knowledge=knowledge, chunk=chunk, session=session, message=message, model=model)

    def point_at_real_things(self, case):
        """Parameters that name something name something that exists."""
        path = case.operation.path
        before = dict(zip(path.split("/")[1:], path.split("/")))
        kinds = {
            "tenants": "tenant", "knowledge-bases": "kb", "knowledge": "knowledge", "chunks": "knowledge", "sessions": "session",
            "continue-stream": "session", "knowledge-chat": "session", "messages": "session", "models": "model",
            "{knowledge_id}": "chunk", "{session_id}": "message",
        }
        for name in case.path_parameters or {}:
            kind = kinds.get(before.get("{" + name + "}"))
            if kind:
                case.path_parameters[name] = self.things[kind]
        if isinstance(case.body, dict):
            for name in ("knowledge_base_id", "kb_id"):
                if name in case.body:
                    case.body[name] = self.things["kb"]
        if isinstance(case.query, dict) and "message_id" in case.query:
            case.query["message_id"] = self.things["message"]

    def credentials(self, case, as_operator):
        path, operation = case.operation.path, case.operation
        security = operation.definition.raw.get("security")
        if security == []:
            return {}
        if security:
            return {"Authorization": f"Bearer {self.things['token']}"}
        if path.startswith("/api/v1/tenants/{"):
            return {"X-API-Key": self.things["tenant_key"]}
        return {"X-API-Key": self.operator_key if as_operator else self.key}


def strict(value):
    """Objects of the description that name their fields have no others."""
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict) and "additionalProperties" not in value:
            value["additionalProperties"] = False
        for part in value.values():
            strict(part)
    elif isinstance(value, list):
        for part in value:
            strict(part)


def ends_things(operation):
    return operation.method.upper() == "DELETE" or operation.path.endswith(("logout", "change-password"))


def ask(server, operation, mode, examples, start):
    """Asks one operation; what was wrong, as texts."""
    wrong = []
    # The operator is refused by most routes; half of the requests are for those that are the operator's.
    operator_asks = (1, 3) if operation.path.startswith(("/api/v1/plugins", "/api/v1/system/index")) else (3,)

    @seed(start)
    @settings(max_examples=examples, database=None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode), choice=st.integers(0, 3))
    def one(case, choice):
        if choice < 2:
            server.point_at_real_things(case)
        answer = case.call(base_url=server.url, headers=server.credentials(case, choice in operator_asks), timeout=REQUEST_S, session=server.http)
        told = None
        if answer.status_code == 500:
            told = "500"
        else:
            try:
                case.validate_response(answer, checks=CHECKS)
            except (BaseExceptionGroup, Exception) as found:
                told = str(found)
        if told:
            body = answer.content[:400].decode("utf-8", "replace")
            wrong.append(f"{told}\n  sent: {case.as_curl_command()[:800]}\n  got: {answer.status_code} {body}")

    one()
    return wrong


def main():
    url, key, operator_key, start, examples = sys.argv[1:]
    server = Server(url, key, operator_key)
    description = requests.get(url + "/api/v1/openapi.json", timeout=REQUEST_S).json()
    # Answers are judged strictly; requests stay free to hold more.
    for operation in (operation for methods in description["paths"].values() for operation in methods.values()):
        strict(operation["responses"])
    sent = {name for name in description["components"]["schemas"] if name.endswith(("Request", "Input", "Form"))}
    strict({name: schema for name, schema in description["components"]["schemas"].items() if name not in sent})
    strict(description["components"]["responses"])
    schema = schemathesis.openapi.from_dict(description)
    operations = [found.ok() for found in schema.get_all_operations()]
    operations.sort(key=ends_things)
    server.make_person()
    server.make_things()
    asked, wrong = 0, {}
    for operation in operations:
        if ends_things(operation):
            server.make_person()
            server.make_things()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                found = ask(server, operation, mode, int(examples), int(start))
            except Exception as error:  # Nothing negative can be made of an operation that takes anything.
                if "Unsatisfiable" not in type(error).__name__:
                    raise
                continue
            asked += 1
            if found:
                wrong.setdefault(f"{operation.method.upper()} {operation.path}", []).extend(found)
    for name, found in wrong.items():
        print(f"{name}: {len(found)} answers are wrong, the first:\n{found[0]}\n")
    print(json.dumps({"operations": len(operations), "asked": asked, "wrong": sorted(wrong)}))
    sys.exit(1 if wrong else 0)


main()
