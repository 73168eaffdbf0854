// SPDX-License-Identifier: Apache-2.0
// One job: its frames as they appear, each task's attempts, votes and proofs. With #…?key= the pictures are opened here.
import { html, nothing, type TemplateResult } from "lit-html";
import { documentCid, fromHex, get, type Attempt, type Job, type Progress, type Results, type Task } from "./api";
import { short, taskName, usd, when } from "./format";
import { jobHearings } from "./hearings";
import { badge } from "./parts";

interface StoredResult { film: { stills: { cid: string }[]; movie: { cid: string }; contact_sheet: { cid: string } } | null }
// Loaded only where there is a key: most visitors never need the cryptography.
const picture = async (...args: Parameters<typeof import("./seal")["picture"]>): Promise<string> => (await import("./seal")).picture(...args);
const pictures = new Map<string, string>();
const wanted = new Set<string>();
let stills: string[] = [];
let movie = "";

export function closeJob(): void {
  for (const url of pictures.values()) URL.revokeObjectURL(url);
  pictures.clear();
  wanted.clear();
  stills = [];
  movie = "";
}

function keyOf(): Uint8Array | null {
  const found = /[?&]key=([0-9a-f]{64})/.exec(location.hash);
  return found?.[1] ? fromHex(found[1]) : null;
}

export async function jobPage(id: string, again: () => Promise<void>): Promise<TemplateResult> {
  const job = await get<Job>(`/jobs/${id}`);
  const key = keyOf();
  if (key) {
    for (const item of job.progress ?? []) if (item.preview) want(key, "preview", item.task, item.attempt, item.preview, again);
    if (job.status === "complete" && !stills.length) await film(key, job, again);
  }
  const done = job.tasks.filter((task) => task.done).length;
  return html`
    <h1>Job <code>${short(job.id)}</code> ${badge(job.status)}</h1>
    <p>${job.reason}</p>
    <dl class="facts">
      <div><dt>frames</dt><dd>${job.settings ? `${job.settings.first_frame}–${job.settings.last_frame} at ${job.settings.width}×${job.settings.height}, ${job.settings.samples} samples` : "–"}</dd></div>
      <div><dt>client</dt><dd>${job.client ? html`<a href="#/money/${job.client}"><code>${short(job.client)}</code></a>` : "–"}</dd></div>
      <div><dt>charged</dt><dd>${usd(job.charged ?? 0)} of at most ${usd(job.cap ?? 0)}</dd></div>
      <div><dt>deadline</dt><dd>${when(job.deadline)}</dd></div>
    </dl>
    <progress max=${Math.max(1, job.tasks.length)} value=${done} aria-label="tasks done"></progress>
    <p class="quiet">${done} of ${job.tasks.length} tasks done</p>
    ${key ? nothing : html`<p class="quiet">The pictures are sealed. Open this page with the job's key (<code>?key=</code> in the address) to see them here; the key stays in this browser.</p>`}
    ${movie ? html`<video src=${movie} controls loop muted autoplay playsinline aria-label="the finished film"></video>` : nothing}
    <h2>Frames</h2><div class="frames">${frames(job).map((frame) => frameCard(job, frame))}</div>
    <h2>Tasks</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">task</th><th scope="col">attempts</th></tr></thead><tbody>${job.tasks.map(taskRow)}</tbody></table></div>
    ${jobHearings(job)}`;
}

function frames(job: Job): number[] {
  if (!job.settings) return [];
  const { first_frame: first, last_frame: last } = job.settings;
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function frameCard(job: Job, frame: number): TemplateResult {
  const task = job.tasks.find((item) => item.kind === "render" && item.first_frame <= frame && frame <= item.last_frame);
  const attempt = task?.attempts.at(-1);
  const progress = (job.progress ?? []).filter((item) => item.frame === frame && item.task === task?.id && item.attempt === attempt?.number).at(-1);
  const source = stills[frame - (job.settings?.first_frame ?? 0)] ?? (progress?.preview ? pictures.get(progress.preview) : undefined);
  return html`<figure class=${attempt?.outcome ?? attempt?.status ?? "waiting"}>
    ${source ? html`<a href=${source} target="_blank" rel="noopener"><img src=${source} alt="frame ${frame}" /></a>` : html`<div class="blank">${state(attempt, progress)}</div>`}
    <figcaption><b>${frame}</b> ${badge(task?.done ? "accepted" : (attempt?.status ?? "waiting"))} ${attempt?.node ? html`<small>node ${attempt.node}</small>` : nothing}</figcaption></figure>`;
}

function state(attempt: Attempt | undefined, progress: Progress | undefined): string {
  if (progress && progress.permille < 1000) return `${Math.round(progress.permille / 10)} %`;
  return attempt?.waits_for ? `waits for ${attempt.waits_for}` : "…";
}

function taskRow(task: Task): TemplateResult {
  return html`<tr><td>${taskName(task)}<br /><small><a href="/explain/${task.id}" target="_blank" rel="noopener">draws</a></small></td><td class="wrap">${task.attempts.map((attempt) => html`<div class="attempt">
    ${badge(attempt.outcome ?? attempt.status)} ${attempt.node ? `node ${attempt.node}` : nothing}
    <small>${[attempt.votes.length ? `votes: ${attempt.votes.map((vote) => `${vote.node} ${vote.outcome}`).join(", ")}` : "", attempt.waits_for ? `waits for ${attempt.waits_for}` : ""].filter(Boolean).join("; ")}${[...attempt.objections, ...attempt.contradictions].map((item) => html`<br />${item.says}`)}</small></div>`)}</td></tr>`;
}

function want(key: Uint8Array, label: string, task: string, attempt: number, cid: string, again: () => Promise<void>): void {
  if (wanted.has(cid)) return;
  wanted.add(cid);
  picture(key, label, task, attempt, cid).then((url) => { pictures.set(cid, url); void again(); }, () => wanted.delete(cid));
}

async function film(key: Uint8Array, job: Job, again: () => Promise<void>): Promise<void> {
  if (wanted.has("film")) return;
  wanted.add("film");
  const rows = (await get<Results>(`/jobs/${job.id}/results`)).results;
  const row = rows.find((item) => item.kind === "assemble");
  if (!row) return;
  const result = await get<StoredResult>(`/files/${documentCid(row.result)}`);
  if (!result.film) return;
  const open = (cid: string): Promise<string> => picture(key, "result", row.task, row.attempt, cid);
  void Promise.all(result.film.stills.map((still) => open(still.cid))).then(async (urls) => {
    stills = urls;
    movie = await open((result.film as NonNullable<StoredResult["film"]>).movie.cid);
    void again();
  }, () => wanted.delete("film"));
}
