"""Writing plugins for Knowhost in Python: decorate an `async def`, await what the host does for you.

Not here: sockets, files and clocks. A plugin has none; `ctx` asks the host, under the grants that the operator gave.
"""

from .call import join
from .ctx import Ctx, StreamCtx
from .errors import Denied, Invalid, NotFound, PluginError, RateLimited, TooLong, Unauthorised, Unsupported, Upstream
from .faults import HostFault
from .http import BODY_BYTES_MAX, Body, basic, bearer, secret_header, secret_query, sigv4
from .kinds import Catalogue, CatalogueCtx, ChatCtx, catalogue, chat_model, embedder, reranker, tokenizer, warm
from .read import Events, Lines, SseEvent
from .wire.catalogue import Entry, Progress
from .wire.chat_model import Answer, Finish, Image, Message, Options, Part, Role, Source, Task, Tool, ToolCall, ToolDelta
from .wire.chat_model import Delta_Reasoning as Reasoning
from .wire.chat_model import Delta_Text as Text
from .wire.chat_model import Part_Image as ImagePart
from .wire.chat_model import Part_Text as TextPart
from .wire.chat_model import Request as ChatRequest
from .wire.embedder import Embeddings, Purpose
from .wire.embedder import Request as EmbedRequest
from .wire.io import Auth, Fault, Header, Level, Model, Setting, Turn, Usage, Vectors
from .wire.reranker import Hit, Ranking
from .wire.reranker import Request as RerankRequest
from .wire.tokenizer import Mode as TokenizeMode
from .wire.tokenizer import Tokens

# The interface version that this package speaks.
INTERFACE = "0.1"

__all__ = [
    "BODY_BYTES_MAX", "INTERFACE", "Answer", "Auth", "Body", "Catalogue", "CatalogueCtx", "ChatCtx", "ChatRequest", "Ctx", "Denied",
    "EmbedRequest", "Embeddings", "Entry", "Events", "Fault", "Finish", "Header", "Hit", "HostFault", "Image", "ImagePart", "Invalid",
    "Level", "Lines", "Message", "Model", "NotFound", "Options", "Part", "PluginError", "Progress", "Purpose", "Ranking",
    "RateLimited", "Reasoning", "RerankRequest", "Role", "Setting", "Source", "SseEvent", "StreamCtx", "Task", "Text", "TextPart",
    "TokenizeMode", "Tokens", "TooLong", "Tool", "ToolCall", "ToolDelta", "Turn", "Unauthorised", "Unsupported", "Upstream", "Usage",
    "Vectors", "basic", "bearer", "catalogue", "chat_model", "embedder", "join", "reranker", "secret_header", "secret_query", "sigv4",
    "tokenizer", "warm",
]  # fmt: skip
