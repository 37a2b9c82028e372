from pathlib import Path

from knowhost_plugin import EmbedRequest, Model, Purpose
from knowhost_plugin.testing import Exchange, same_at_every_cut
from plugin import embed

RECORDED = Path(__file__).with_name("exchanges") / "embed.json"


def test_recorded_call_gives_its_rows() -> None:
    script = Exchange.recorded(RECORDED.read_text(encoding="utf-8"))
    texts = ["The ferry leaves at seven.", "员工享有年假。"]
    request = EmbedRequest(Model("small", "http://127.0.0.1:8090"), Purpose.CHUNK, texts)
    rows = same_at_every_cut(script, lambda host: host.embed(embed, request))
    assert (rows.dimension, rows.data) == (4, [0.5, 0.5, 0.5, 0.5, 1.0, 0.0, 0.0, 0.0])
