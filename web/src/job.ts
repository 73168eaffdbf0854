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
// What is opened of the job on the page, and what of it is on its way. A page that was left is `shown` no more: what
// arrives for it then is let go.
interface Shown { pictures: Map<string, string>; wanted: Set<string>; stills: string[]; movie: string }
const nothingYet = (): Shown => ({ pictures: new Map(), wanted: new Set(), stills: [], movie: "" });
let shown = nothingYet();

export function closeJob(): void {
  for (const url of shown.pictures.values()) URL.revokeObjectURL(url);
  shown = nothingYet();
}

function keyOf(): Uint8Array | null {
  const found = /[?&]key=([0-9a-f]{64})/.exec(location.hash);
  return found?.[1] ? fromHex(found[1]) : null;
}

export async function jobPage(id: string, again: () => Promise<void>): Promise<TemplateResult> {
  const here = shown;
  const job = await get<Job>(`/jobs/${id}`);
  const key = keyOf();
  if (key && here === shown) {
    for (const item of job.progress ?? []) {
      const { preview, task, attempt } = item;
      if (preview && !here.pictures.has(preview)) want(here, preview, async () => void (await open(here, key, "preview", task, attempt, preview)), again);
    }
    if (job.status === "complete" && !here.movie) want(here, "film", () => film(here, key, job), again);
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
    ${here.movie ? html`<video src=${here.movie} controls loop muted autoplay playsinline aria-label="the finished film"></video>` : nothing}
    <h2>Frames</h2><div class="frames">${frames(job).map((frame) => frameCard(here, job, frame))}</div>
    <h2>Tasks</h2><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">task</th><th scope="col">attempts</th></tr></thead><tbody>${job.tasks.map(taskRow)}</tbody></table></div>
    ${jobHearings(job)}`;
}

function frames(job: Job): number[] {
  if (!job.settings) return [];
  const { first_frame: first, last_frame: last } = job.settings;
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function frameCard(here: Shown, job: Job, frame: number): TemplateResult {
  const task = job.tasks.find((item) => item.kind === "render" && item.first_frame <= frame && frame <= item.last_frame);
  const attempt = task?.attempts.at(-1);
  const progress = (job.progress ?? []).filter((item) => item.frame === frame && item.task === task?.id && item.attempt === attempt?.number).at(-1);
  const source = here.stills[frame - (job.settings?.first_frame ?? 0)] ?? (progress?.preview ? here.pictures.get(progress.preview) : undefined);
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

// Whatever fails is asked for again when the page is drawn anew.
function want(here: Shown, what: string, bring: () => Promise<void>, again: () => Promise<void>): void {
  if (here.wanted.has(what)) return;
  here.wanted.add(what);
  const over = (): boolean => here.wanted.delete(what);
  bring().then(() => { over(); if (here === shown) void again(); }, over);
}

async function open(here: Shown, key: Uint8Array, label: string, task: string, attempt: number, cid: string): Promise<string> {
  const known = here.pictures.get(cid);
  if (known) return known;
  const url = await picture(key, label, task, attempt, cid);
  if (here === shown) here.pictures.set(cid, url);
  else URL.revokeObjectURL(url);
  return url;
}

async function film(here: Shown, key: Uint8Array, job: Job): Promise<void> {
  const rows = (await get<Results>(`/jobs/${job.id}/results`)).results;
  const row = rows.find((item) => item.kind === "assemble");
  const found = row && (await get<StoredResult>(`/files/${documentCid(row.result)}`)).film;
  if (!row || !found) throw new Error("there is no film yet");
  const bring = (cid: string): Promise<string> => open(here, key, "result", row.task, row.attempt, cid);
  const stills = await Promise.allSettled(found.stills.map((still) => bring(still.cid)));
  here.stills = stills.map((still) => { if (still.status === "rejected") throw still.reason; return still.value; });
  here.movie = await bring(found.movie.cid);
}
