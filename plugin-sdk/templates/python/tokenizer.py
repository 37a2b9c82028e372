"""Cuts texts into words: runs of letters and digits, and each ideograph for itself."""

from knowhost_plugin import TokenizeMode, Tokens, tokenizer


@tokenizer
def tokenize(texts: list[str], mode: TokenizeMode) -> Tokens:
    """A text is found by the same words that a query looks for, so the mode makes no difference here."""
    found = [words(text) for text in texts]
    return Tokens([len(spans) // 2 for spans in found], [place for spans in found for place in spans])


def words(text: str) -> list[int]:
    """First and last byte of each word."""
    spans: list[int] = []
    end, is_open = 0, False
    for letter in text:
        start, code = end, ord(letter)
        end += 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        stands_alone = 0x3400 <= code <= 0x9FFF or 0x20000 <= code <= 0x3FFFF
        if not letter.isalnum():
            is_open = False
        elif is_open and not stands_alone:
            spans[-1] = end
        else:
            spans += (start, end)
            is_open = not stands_alone
    return spans
