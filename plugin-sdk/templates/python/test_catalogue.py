from pathlib import Path

from knowhost_plugin import Model
from knowhost_plugin.testing import Exchange, same_at_every_cut
from knowhost_plugin.wire.catalogue import Query_Models, Request
from plugin import Models

RECORDED = Path(__file__).with_name("exchanges") / "models.json"


def test_recorded_call_lists_the_models() -> None:
    script = Exchange.recorded(RECORDED.read_text(encoding="utf-8"))
    request = Request(Model("", "http://127.0.0.1:8090"), Query_Models())
    reply = same_at_every_cut(script, lambda host: host.catalogue(Models(), request).result())
    assert [entry.name for entry in reply.value] == ["small", "large"]
