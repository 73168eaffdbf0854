// SPDX-License-Identifier: Apache-2.0
// Amounts as people read them. Integers come as numbers or decimal text and stay exact (BigInt).

export function decimal(value: string | number | bigint, decimals: number, digits = 6): string {
  const whole = BigInt(value);
  const sign = whole < 0n ? "-" : "";
  const text = (whole < 0n ? -whole : whole).toString().padStart(decimals + 1, "0");
  const head = text.slice(0, text.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  const tail = text.slice(text.length - decimals).slice(0, digits).replace(/0+$/, "");
  return sign + head + (tail ? "." + tail : "");
}

export const usd = (nano: string | number): string => `$${decimal(nano, 9, 9)}`;
export const ifx = (wei: string | number): string => `${decimal(wei, 18, 9)} IFX`;
export const work = (nano: number): string => `${decimal(nano, 9, 9)} IBM`;
export const speed = (micro: number): string => `${decimal(micro, 6)} IB`;
export const short = (id: string | null): string => (id ? `${id.slice(0, 8)}…${id.slice(-4)}` : "–");

export function taskName(task: { kind: string; first_frame: number; last_frame: number }): string {
  if (task.kind === "assemble") return "film";
  return task.first_frame === task.last_frame ? `frame ${task.first_frame}` : `frames ${task.first_frame}–${task.last_frame}`;
}

export function when(seconds: number | null): string {
  if (!seconds) return "–";
  return new Date(seconds * 1000).toISOString().replace("T", " ").slice(0, 19) + " UTC";
}
