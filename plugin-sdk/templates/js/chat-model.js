// Answers with a small HTTP API: `POST {baseUrl}/chat` with `{"model", "messages"}` streams events `data: {"text"}` up to
// `data: [DONE]`.

import * as knowhost from "knowhost-plugin";

export const chatModel = knowhost.chatModel(function* (ctx, { model, messages }) {
  const response = yield* ctx.post(knowhost.modelUrl(model, "", "chat"), {
    // The host puts the key in, if the model row has one; the plugin never sees it.
    auth: knowhost.setting(model, "api_key_present") === true ? knowhost.bearer("api_key") : [],
    json: { model: model.name, messages: messages.map((message) => ({ role: message.role, text: knowhost.textOf(message) })) },
  });
  const events = (yield* response.accepted()).events();
  for (let event; (event = yield* events.next()) !== null; ) {
    if (event.data.trim() === "[DONE]") return { finish: "stop" };
    const text = pieceOf(event.data);
    // Each piece is on its way to the reader when the next one is waited for.
    if (text !== "") ctx.emit(text);
  }
  throw knowhost.upstream("the answer broke off");
});

function pieceOf(data) {
  let piece;
  try {
    piece = JSON.parse(data);
  } catch {
    throw knowhost.upstream("an event of the answer is no JSON");
  }
  if (typeof piece?.text !== "string") throw knowhost.upstream("an event of the answer holds no text");
  return piece.text;
}
