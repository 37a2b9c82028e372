from knowhost_plugin import TokenizeMode
from plugin import tokenize


def test_words_and_ideographs_are_found() -> None:
    text = "Tea, 80 度!"
    tokens = tokenize([text], TokenizeMode.INDEX)
    places = iter(tokens.spans)
    assert [text.encode()[start:end].decode() for start, end in zip(places, places)] == ["Tea", "80", "度"]
