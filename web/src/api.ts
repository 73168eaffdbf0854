// SPDX-License-Identifier: Apache-2.0
// What the API answers, as far as the page shows it.

// What a panel hears: `due_at` and `verdict` say until when it waits, and once it is over what that means.
export interface Hearing {
  id: string; status: string; says: string; verdict: string | null; due_at: number | null; panel: number[]; votes: Record<string, string>;
  challenger: string; node: number | null; bond: string; opened_at: number; ended_at: number | null;
}
export interface Objection extends Hearing { kind: string; batch: string | null; index: number | null; places: number[]; manager: number; is_managers: boolean }
export interface Contradiction extends Hearing { verifier: number; task: string; attempt: number; vote: string; share: string }
export interface Hold { what: string; amount: string; at_risk: string; by: string | null; because: string; id: string; until: number }
export interface Attempt {
  number: number; status: string; node: number | null; outcome: string | null; committee: number[];
  votes: { node: number; outcome: string; measured: string }[]; waits_for: string | null; charge: number;
  deadline: number | null; batch: string | null; result: string | null; objections: Objection[]; contradictions: Contradiction[];
}
export interface Task {
  id: string; index: number; kind: string; first_frame: number; last_frame: number; work: number;
  done: boolean; failed: boolean; attempts: Attempt[];
}
export interface Progress { task: string; attempt: number; frame: number; node: number; permille: number; preview: string | null }
export interface Job {
  id: string; status: string; reason: string; client: string; manager: number; cap: number; price: number; charged: number;
  posted_at: number; deadline: number; ended_at: number | null; tasks: Task[]; progress?: Progress[];
  settings: { first_frame: number; last_frame: number; width: number; height: number; samples: number } | null;
}
export interface Node {
  id: number; role: string; owner: string; status: string; ib: number; device_class: string; price: number; bonded: string;
  delegated: string; limit: string; share_bps: number; unbonding: string; frozen: string; holds: Hold[]; drawable: boolean; seen_at: number | null; claimed: string;
}
export interface Batch {
  commitment: string; manager: number; sequence: number; charge: number; work: number; status: string; proposed_at: number;
  final_at: number | null; epoch: number | null; problem: string; outcomes: number; objections: Objection[];
}
export interface Epoch { index: number; work: number; charge: number; burned: string; minted: string; closed_at: number }
export interface Case { id: string; task: string; attempt: number; node: number; amount: string; status: string; panel: number[]; opened_at: number }
export interface Network {
  chain_id: number; block: number; time: number; readers: string; contracts: Record<string, string>;
  manager: { id: number; operator: string } | null; // whose page this is
  totals: Record<string, number | string>;
}
export interface Holding { where: string; amount: string; unit: string; state: string; free_at: number | null; call: string; note: string }
export interface Money { address: string; holdings: Holding[] }
export interface Results { results: { task: string; kind: string; attempt: number; node: number; result: string }[] }

export async function get<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  const body: unknown = await answer.json().catch(() => null);
  if (!answer.ok) {
    const error = (body as { error?: { message?: string } } | null)?.error?.message;
    throw new Error(error ?? `the server answers ${answer.status}`);
  }
  return body as T;
}

// The CIDv1 (raw) under which a document of this SHA-256 digest is stored.
export function documentCid(digest: string): string {
  const bytes = [0x01, 0x55, 0x12, 0x20, ...fromHex(digest)];
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  let text = "b", bits = 0, value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      text += alphabet[(value >>> (bits - 5)) & 31];
      bits -= 5;
    }
    value &= (1 << bits) - 1;
  }
  return bits ? text + alphabet[(value << (5 - bits)) & 31] : text;
}

export function fromHex(text: string): Uint8Array {
  const clean = text.replace(/^0x/, "");
  return Uint8Array.from(clean.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
