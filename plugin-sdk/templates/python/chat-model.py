"""Answers with a small HTTP API: `POST {base_url}/chat` with `{"model", "messages"}` streams events `data: {"text"}` up to
`data: [DONE]`."""

import json

from knowhost_plugin import Answer, ChatCtx, ChatRequest, Upstream, bearer, chat_model


@chat_model
async def chat(ctx: ChatCtx, request: ChatRequest) -> Answer:
    messages = [{"role": message.role.name.lower(), "text": message.text} for message in request.messages]
    body = {"model": request.model.name, "messages": messages}
    # The host puts the key in, if the model row has one; the plugin never sees it.
    auth = [bearer("api_key")] if request.model.setting("api_key_present") is True else []
    response = await ctx.post(request.model.url("", "chat"), json=body, auth=auth)
    async for event in (await response.accepted()).events():
        if event.data.strip() == "[DONE]":
            return Answer()
        # Each piece is on its way to the reader when the next one is waited for.
        if text := text_of(event.data):
            ctx.emit(text)
    raise Upstream("the answer broke off")


def text_of(data: str) -> str:
    try:
        piece = json.loads(data)
    except ValueError:
        raise Upstream("an event of the answer is no JSON") from None
    text = piece.get("text") if isinstance(piece, dict) else None
    if not isinstance(text, str):
        raise Upstream("an event of the answer holds no text")
    return text
