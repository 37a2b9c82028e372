// Types of testing.js.

import type { Exported } from "./knowhost-plugin.js";

export interface Exchange {
  method: string;
  url: string;
  status: number | null;
  headers: Record<string, string>;
  body: Uint8Array;
  fault: { fault: string; text: string } | null;
}
export function exchange(
  method: string,
  url: string,
  options?: { status?: number | null; headers?: Record<string, string>; body?: string | Uint8Array; fault?: { fault: string; text: string } | null },
): Exchange;
export function recorded(text: string): Exchange[];
export interface Outcome {
  deltas: any[];
  answer?: any;
  error?: { tag: string; val: any };
  cancelled?: boolean;
}
export class Host {
  constructor(script?: Exchange[], options?: { cut?: number | null; cutAt?: number | null; cancelAfter?: number | null });
  requests: any[];
  sleptMs: number[];
  logs: { level: string; text: string }[];
  closed: number[];
  modelCalls: any[];
  modelAnswers: any[];
  cache: Map<string, Uint8Array>;
  requestJson(index: number): any;
  run(exported: Exported, request: any): Outcome;
}
export function textOf(outcome: Outcome): string;
export function sameAtEveryCut<T>(script: Exchange[], call: (host: Host) => T): T;
export function cancelAtEveryStep(script: Exchange[], call: (host: Host) => Outcome): number;
