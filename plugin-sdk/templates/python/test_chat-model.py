from pathlib import Path

from knowhost_plugin import ChatRequest, Message, Model, Role, Task, TextPart
from knowhost_plugin.testing import Exchange, cancel_at_every_step, same_at_every_cut
from plugin import chat

RECORDED = Path(__file__).with_name("exchanges") / "chat.json"
QUESTION = Message(Role.USER, [TextPart("When does the ferry leave?")])
REQUEST = ChatRequest(Model("small", "http://127.0.0.1:8090"), Task.ANSWER, [QUESTION])


def test_recorded_call_gives_its_text() -> None:
    script = Exchange.recorded(RECORDED.read_text(encoding="utf-8"))
    said = same_at_every_cut(script, lambda host: host.chat(chat, REQUEST).text)
    assert said == "The ferry leaves at seven."
    assert cancel_at_every_step(script, lambda host: host.chat(chat, REQUEST)) > 0
