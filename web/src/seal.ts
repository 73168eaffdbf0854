// SPDX-License-Identifier: Apache-2.0
// Opens what was sealed for this job, in the browser: the key is in the address's fragment and is never sent anywhere.
import sodium from "libsodium-wrappers";
import { fromHex } from "./api";

const HEADER = 24, CHUNK = 65_536 + 17;
const MAX_PREVIEW = 4 * 2 ** 20; // a worker names it before anybody has looked at it

export async function subkey(key: Uint8Array, label: string, ...parts: Uint8Array[]): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [encoder.encode("inferix.subkey.v1")];
  for (const part of [encoder.encode(label), ...parts]) {
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, part.length);
    pieces.push(length, part);
  }
  const message = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  const mac = await crypto.subtle.importKey("raw", key as BufferSource, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", mac, message));
}

export async function open(key: Uint8Array, sealed: Uint8Array): Promise<Uint8Array> {
  await sodium.ready;
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(sealed.subarray(0, HEADER), key);
  const pieces: Uint8Array[] = [];
  for (let at = HEADER; at < sealed.length; at += CHUNK) {
    const pulled = sodium.crypto_secretstream_xchacha20poly1305_pull(state, sealed.subarray(at, at + CHUNK));
    if (!pulled) throw new Error("this file is not sealed with the key of this address");
    pieces.push(pulled.message);
    const final = pulled.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL, last = at + CHUNK >= sealed.length;
    if (final && !last) throw new Error("the file goes on after its end");
    if (final) return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  }
  throw new Error("the file is cut off");
}

async function read(answer: Response, most: number): Promise<Uint8Array> {
  const reader = answer.body?.getReader(), pieces: Uint8Array[] = [];
  let size = 0;
  for (let piece = await reader?.read(); reader && piece?.value; piece = await reader.read()) {
    pieces.push(piece.value);
    size += piece.value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error(`the file has more than ${most} bytes`);
    }
  }
  return new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
}

// A sealed picture as an object URL; `label` is the purpose of the attempt's key.
export async function picture(job: Uint8Array, label: string, task: string, attempt: number, cid: string): Promise<string> {
  const key = await subkey(job, label, fromHex(task), Uint8Array.of(attempt));
  const answer = await fetch(`/files/${cid}`);
  if (!answer.ok) throw new Error(`the file is not to be had (${answer.status})`);
  const plain = await open(key, await read(answer, label === "preview" ? MAX_PREVIEW : Infinity));
  return URL.createObjectURL(new Blob([plain as BlobPart]));
}
