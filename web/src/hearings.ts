// SPDX-License-Identifier: Apache-2.0
// What panels hear, objections and contradicted votes, and what is held of a node because of them.
import { html, nothing, type TemplateResult } from "lit-html";
import { get, type Contradiction, type Hearing, type Hold, type Job, type Node, type Objection } from "./api";
import { ifx, short, taskName, when } from "./format";
import { badge, empty, table } from "./parts";

const hearings = (rows: TemplateResult[]): TemplateResult => table(["about", "state", "until, or ended", "bond"], rows, "stack");
const money = (address: string): TemplateResult => html`<a href="#/money/${address}"><code>${short(address)}</code></a>`;

function row(item: Hearing, about: unknown): TemplateResult {
  const votes = Object.entries(item.votes).map(([node, vote]) => `${node} ${vote}`).join(", ");
  return html`<tr><td data-name="about">${about}</td>
    <td class="wrap" data-name="state">${badge(item.status)} <small>${item.verdict ?? item.says}${votes ? html`<br />the panel's votes: ${votes}` : nothing}</small></td>
    <td data-name=${item.due_at ? "until" : "ended"}>${item.due_at ? when(item.due_at) : html`<small class="wide">ended<br /></small>${when(item.ended_at)}`}</td>
    <td data-name="bond">${ifx(item.bond)}<br /><small>${item.node ? `stake of node ${item.node}, ` : nothing}by ${money(item.challenger)}</small></td></tr>`;
}

function contradicted(item: Contradiction, where: unknown): TemplateResult {
  const risk = item.verdict ? "" : `; it may lose ${ifx(item.share)} and a bond`;
  return row(item, html`${where}<br /><small>vote of <a href="#/nodes/${item.verifier}">node ${item.verifier}</a>: ${item.vote}${risk}</small>`);
}

function objected(item: Objection, where: unknown): TemplateResult {
  const whose = item.is_managers ? `what manager ${item.manager} alone wrote of it` : item.batch ? "its outcome" : `what manager ${item.manager} computed`;
  return row(item, html`${where}<br /><small>${whose}</small>`);
}

// All that was said against a job's outcomes and the votes behind them; nothing where nobody did.
export function jobHearings(job: Job): TemplateResult | typeof nothing {
  const rows = job.tasks.flatMap((task) => task.attempts.flatMap((attempt) => {
    const where = `${taskName(task)}, attempt ${attempt.number}`;
    return [...attempt.objections.map((item) => objected(item, where)), ...attempt.contradictions.map((item) => contradicted(item, where))];
  }));
  if (!rows.length) return nothing;
  return html`<h2>Objections and contradicted votes</h2>
    <p class="quiet">Somebody says, with a bond, that an outcome or a verifier's vote is wrong. Drawn verifiers check it again.</p>
    ${hearings(rows)}`;
}

export async function hearingTables(): Promise<TemplateResult> {
  const [objections, votes] = await Promise.all([get<Objection[]>("/objections"), get<Contradiction[]>("/contradictions")]);
  return html`<h2>Objections</h2>${objections.length ? hearings([...objections].reverse().map((item) => objected(item, subject(item)))) : empty("Nobody has objected to an outcome or a root.")}
    <h2>Contradicted votes</h2>${votes.length ? hearings([...votes].reverse().map((item) => contradicted(item, task(item)))) : empty("No verifier's vote has been contradicted.")}`;
}

function subject(item: Objection): TemplateResult {
  if (item.batch) return html`batch <code>${short(item.batch)}</code>, ${item.places.length === 1 ? "outcome" : "outcomes"} ${item.places.join(", ")}`;
  return html`${item.kind} root ${item.index}, leaf ${item.places.join(", ")}`;
}

const task = (item: Contradiction): TemplateResult => html`task <code>${short(item.task)}</code>, attempt ${item.attempt}`;

export async function nodePage(id: string): Promise<TemplateResult> {
  const [node, votes] = await Promise.all([get<Node>(`/nodes/${encodeURIComponent(id)}`), get<Contradiction[]>("/contradictions")]);
  const own = votes.filter((item) => item.verifier === node.id).reverse();
  return html`<h1>Node ${node.id} ${badge(node.status)}</h1>
    <dl class="facts">
      <div><dt>role</dt><dd>${node.role}</dd></div>
      <div><dt>owner</dt><dd>${money(node.owner)}</dd></div>
      <div><dt>bonded</dt><dd>${ifx(node.bonded)}</dd></div>
      <div><dt>leaving</dt><dd>${ifx(node.unbonding)}</dd></div>
      <div><dt>frozen</dt><dd>${ifx(node.frozen)}</dd></div>
    </dl>
    <h2>What is held of its stake</h2>${node.holds.length ? table(["held", "because", "by", "until, at the latest", "at risk"], node.holds.map(heldRow), "stack") : empty("Nothing.")}
    ${node.role === "verifier" || own.length ? html`<h2>Its contradicted votes</h2>${own.length ? hearings(own.map((item) => contradicted(item, task(item)))) : empty("None.")}` : nothing}`;
}

function heldRow(hold: Hold): TemplateResult {
  const what = { withdrawals: "withdrawals of", bond: "as a bond,", stake: "frozen," }[hold.what] ?? hold.what;
  return html`<tr><td data-name="held">${what} ${ifx(hold.amount)}</td><td class="wrap" data-name="because">${hold.because} <small><code>${short(hold.id)}</code></small></td>
    <td data-name="by">${hold.by ? money(hold.by) : "the rules"}</td><td data-name="until">${when(hold.until)}</td><td data-name="at risk">${ifx(hold.at_risk)}</td></tr>`;
}
