// Types of knowhost-plugin.js; the shapes are those of plugin-sdk/wit/v0.1, with camelCase names, `null` for what is absent
// and `{ tag, val }` for one of several.

/** What a call does for its author: run it with `yield*`. */
export type Call<T> = Generator<unknown, T, any>;
export type Tagged<Tag extends string, Val> = { tag: Tag; val: Val };

export const INTERFACE: string;
export const BODY_BYTES_MAX: number;
export const LINE_BYTES_MAX: number;

export type ErrorTag = "invalid" | "unauthorised" | "denied" | "not-found" | "rate-limited" | "too-long" | "upstream" | "unsupported";
export class PluginError extends Error {
  constructor(tag: ErrorTag, text: string, retryAfterMs?: number | null);
  tag: ErrorTag;
  retryAfterMs: number | null;
}
export type Fault = "denied" | "connect" | "timeout" | "protocol" | "too-large" | "unsupported" | "upstream";
export class HostFault extends PluginError {
  constructor(fault: Fault, text: string);
  fault: Fault;
  readonly isTransport: boolean;
}
export function invalid(text: string): PluginError;
export function unauthorised(text: string): PluginError;
export function denied(text: string): PluginError;
export function notFound(text: string): PluginError;
export function rateLimited(text: string, retryAfterMs?: number | null): PluginError;
export function tooLong(text: string): PluginError;
export function upstream(text: string): PluginError;
export function unsupported(text: string): PluginError;

export function encodeUtf8(text: string): Uint8Array;
export function decodeUtf8(bytes: Uint8Array): string;
export function base64(bytes: Uint8Array): string;

export type Auth = Tagged<"bearer", string> | Tagged<"basic" | "header" | "query" | "sigv4", object>;
export function bearer(secret: string): Auth;
export function basic(user: string, secret: string): Auth;
export function secretHeader(name: string, secret: string, prefix?: string): Auth;
export function secretQuery(name: string, secret: string): Auth;
export function sigv4(accessKey: string, secretKey: string, region: string, service: string): Auth;

export interface RequestOptions {
  headers?: Record<string, string>;
  /** up to four, each at another place */
  auth?: Auth | Auth[];
  json?: unknown;
  body?: string | Uint8Array;
  timeoutMs?: number | null;
}
export interface Lines {
  next(): Call<string | null>;
  nextJson(): Call<any>;
}
export interface SseEvent {
  event: string;
  data: string;
  id: string | null;
}
export interface Events {
  next(): Call<SseEvent | null>;
}
export interface Body {
  status: number;
  headers: { name: string; value: string }[];
  readonly isSuccess: boolean;
  /** the response itself when it is a success; else throws what its status means */
  accepted(): Call<Body>;
  header(name: string): string | null;
  chunk(): Call<Uint8Array | null>;
  bytes(maxBytes?: number): Call<Uint8Array>;
  text(maxBytes?: number): Call<string>;
  json(): Call<any>;
  excerpt(maxBytes?: number): Call<string>;
  lines(maxBytes?: number): Lines;
  events(maxBytes?: number): Events;
  close(): void;
}
export interface Vectors {
  dimension: number;
  data: number[];
}
export interface Turn {
  role: "system" | "user" | "assistant";
  text: string;
}
export interface Ctx {
  request(method: string, url: string, options?: RequestOptions): Call<Body>;
  get(url: string, options?: RequestOptions): Call<Body>;
  post(url: string, options?: RequestOptions): Call<Body>;
  sleepMs(ms: number): Call<void>;
  log(text: string, level?: "debug" | "info" | "warn" | "error"): void;
  askChat(turns: Turn[], model?: string, maxOutputTokens?: number | null): Call<string>;
  askEmbed(texts: string[], model?: string): Call<Vectors>;
  askRerank(query: string, texts: string[], model?: string): Call<number[]>;
  cacheGet(key: string): Call<Uint8Array | null>;
  cachePut(key: string, value: Uint8Array, ttlMs?: number | null): Call<void>;
}
export interface StreamCtx<D> extends Ctx {
  emit(delta: D): void;
}
export interface ChatCtx extends Ctx {
  emit(text: string): void;
  emitReasoning(text: string): void;
  emitTool(piece: { index: number; id?: string | null; name?: string | null; arguments?: string }): void;
}

export interface Model {
  name: string;
  /** empty when the provider needs none */
  baseUrl: string;
  settings: { name: string; value: string }[];
}
export interface Usage {
  inputTokens: number;
  outputTokens: number;
}
export function setting(model: Model, name: string, fallback?: any): any;
export function modelUrl(model: Model, fallback: string, path: string): string;
export function textOf(message: Message): string;

export interface EmbedRequest {
  model: Model;
  purpose: "chunk" | "query";
  texts: string[];
  dimensions: number | null;
}
export interface RerankRequest {
  model: Model;
  query: string;
  texts: string[];
  top: number | null;
}
export type Part = Tagged<"text", string> | Tagged<"image", { mediaType: string; data: Uint8Array }>;
export interface Message {
  role: "system" | "user" | "assistant" | "tool";
  parts: Part[];
  toolCalls: { id: string; name: string; arguments: string }[];
  toolCallId: string | null;
}
export interface ChatRequest {
  model: Model;
  task: "answer" | "rewrite" | "summary" | "title" | "extract";
  messages: Message[];
  tools: { name: string; description: string; schema: string }[];
  /** `auto`, `none`, `required`, or the name of the one tool to call */
  toolChoice: string | null;
  options: {
    temperature: number | null;
    topP: number | null;
    maxTokens: number | null;
    maxCompletionTokens: number | null;
    frequencyPenalty: number | null;
    presencePenalty: number | null;
    seed: number | null;
    stop: string[];
    thinking: boolean | null;
    format: string | null;
  };
  question: string | null;
  sources: { id: string; title: string; text: string }[];
}
export interface Progress {
  status: string;
  completedBytes: number;
  totalBytes: number;
}
export interface Entry {
  name: string;
  sizeBytes: number;
  digest: string;
  modifiedAt: string;
}

/** What a component exports; the host calls it, and so does `testing.js`. */
export interface Exported {
  start(id: number, request: any): any;
  resume(id: number, event: any): any;
  cancel(id: number): void;
}
export function join(...calls: Call<any>[]): Call<any[]>;
export function embedder(embed: (ctx: Ctx, request: EmbedRequest) => Call<Vectors & { usage?: Usage | null }>): Exported;
export function reranker(
  rerank: (ctx: Ctx, request: RerankRequest) => Call<{ hits: { index: number; relevanceScore: number }[]; usage?: Usage | null }>,
): Exported;
export function chatModel(
  chat: (
    ctx: ChatCtx,
    request: ChatRequest,
  ) => Call<{ finish?: "stop" | "length" | "tool" | "filter" | "other"; usage?: Usage | null } | void>,
): Exported;
export function catalogue(provider: {
  status?(ctx: StreamCtx<Progress>, model: Model): Call<string>;
  models?(ctx: StreamCtx<Progress>, model: Model): Call<Entry[]>;
  check?(ctx: StreamCtx<Progress>, model: Model): Call<boolean>;
  pull?(ctx: StreamCtx<Progress>, model: Model): Call<void>;
  remove?(ctx: StreamCtx<Progress>, model: Model): Call<void>;
}): Exported;
export function tokenizer(tokenize: (texts: string[], mode: "index" | "query") => { counts: number[]; spans: number[] }): {
  tokenize(texts: string[], mode: "index" | "query"): { counts: number[]; spans: number[] };
};
