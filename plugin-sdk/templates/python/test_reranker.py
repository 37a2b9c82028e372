from pathlib import Path

from knowhost_plugin import Model, RerankRequest
from knowhost_plugin.testing import Exchange, same_at_every_cut
from plugin import rerank

RECORDED = Path(__file__).with_name("exchanges") / "rerank.json"


def test_recorded_call_gives_the_best_first() -> None:
    script = Exchange.recorded(RECORDED.read_text(encoding="utf-8"))
    texts = ["Tea is green.", "The ferry leaves at seven."]
    request = RerankRequest(Model("small", "http://127.0.0.1:8090"), "When does the ferry leave?", texts)
    ranking = same_at_every_cut(script, lambda host: host.rerank(rerank, request))
    assert [hit.index for hit in ranking.hits] == [1, 0]
