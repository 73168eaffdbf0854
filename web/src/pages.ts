// SPDX-License-Identifier: Apache-2.0
// The pages that show state as it is: network, jobs, nodes, settlement, money.
import { html, nothing, type TemplateResult } from "lit-html";
import { get, type Batch, type Case, type Epoch, type Job, type Money, type Network, type Node } from "./api";
import { ifx, short, speed, usd, when, work } from "./format";
import { hearingTables } from "./hearings";
import { badge, empty, table } from "./parts";

function card(name: string, value: unknown, note = ""): TemplateResult {
  return html`<div class="card"><dt>${name}</dt><dd>${value}</dd>${note ? html`<small>${note}</small>` : nothing}</div>`;
}

export async function overviewPage(): Promise<TemplateResult> {
  const [network, nodes, jobs] = await Promise.all([get<Network>("/network"), get<Node[]>("/nodes"), get<Job[]>("/jobs")]);
  const active = nodes.filter((node) => node.status === "active");
  const alive = active.filter((node) => node.seen_at && network.time - node.seen_at < 60).length;
  const speeds = active.filter((node) => node.role === "worker").reduce((sum, node) => sum + node.ib, 0);
  return html`
    <section class="hero"><h1>GPUs of many, trusted by nobody</h1>
      <p>Owners lend machines, artists rent them. Every frame is checked by secret re-rendered tiles; contracts pay, or slash.</p></section>
    <dl class="cards">
      ${card("Machines", active.length, `${alive} seen in the last minute`)}
      ${card("Measured speed", speed(speeds), "sum of the active workers' Inferix Bench")}
      ${card("Jobs", network.totals["jobs"] ?? 0, `${network.totals["running"] ?? 0} running`)}
      ${card("Charged", usd(network.totals["charged"] ?? 0), "in closed epochs")}
      ${card("Burned", ifx(network.totals["burned"] ?? "0"), "bought with fees")}
      ${card("Minted", ifx(network.totals["minted"] ?? "0"), "for accepted work")}
    </dl>
    ${ownManager(network)}
    <h2>Newest jobs</h2>${jobRows(jobs.slice(0, 8))}`;
}

function ownManager(network: Network): TemplateResult | typeof nothing {
  if (!network.manager) return nothing;
  const { id, operator } = network.manager;
  return html`<p class="quiet">Orders placed here go to manager <a href="#/nodes/${id}">${id}</a>, operator <code title=${operator}>${short(operator)}</code>.</p>`;
}

function jobRows(jobs: Job[]): TemplateResult {
  if (!jobs.length) return empty("No job yet. `inferix render scene.blend --frames 1-8` orders the first.");
  return table(["job", "status", "frames", "tasks", "charged", "ordered"], jobs.map((job) => html`<tr>
    <td><a href="#/jobs/${job.id}"><code>${short(job.id)}</code></a></td><td>${badge(job.status)} <small>${job.reason}</small></td>
    <td>${job.settings ? `${job.settings.first_frame}–${job.settings.last_frame}, ${job.settings.width}×${job.settings.height}` : "–"}</td>
    <td>${job.tasks.filter((task) => task.done).length} / ${job.tasks.length}</td><td>${usd(job.charged)}</td><td>${when(job.posted_at)}</td></tr>`));
}

export async function jobsPage(): Promise<TemplateResult> {
  return html`<h1>Jobs</h1>${jobRows(await get<Job[]>("/jobs"))}`;
}

export async function nodesPage(): Promise<TemplateResult> {
  const [network, nodes] = await Promise.all([get<Network>("/network"), get<Node[]>("/nodes")]);
  if (!nodes.length) return html`<h1>Nodes</h1>${empty("No machine has registered yet.")}`;
  return html`<h1>Nodes</h1>${table(["node", "role", "status", "device", "speed", "price per IBM", "bonded", "of others", "frozen or held", "claimed", "last seen"], nodes.map((node) => html`<tr>
    <td><a href="#/nodes/${node.id}">${node.id}</a></td><td>${node.role}</td><td>${badge(node.status)}${node.drawable ? nothing : html` <small>not drawable</small>`}</td>
    <td>${node.device_class || "–"}</td><td>${node.ib ? speed(node.ib) : "–"}</td><td>${node.role === "worker" ? usd(node.price) : "–"}</td>
    <td>${ifx(node.bonded)}</td><td>${delegation(node)}</td><td>${held(node)}</td>
    <td>${node.claimed === "0" ? "–" : html`<a href="#/money/${node.owner}">${ifx(node.claimed)}</a>`}</td>
    <td>${node.seen_at ? `${Math.max(0, network.time - node.seen_at)} s ago` : "–"}</td></tr>`))}`;
}

function held(node: Node): TemplateResult | string {
  if (node.frozen === "0" && !node.holds.length) return "–";
  const frozen = node.frozen === "0" ? "" : ifx(node.frozen);
  const all = node.holds.some((hold) => hold.what === "withdrawals") ? "withdrawals held" : "";
  return html`<a href="#/nodes/${node.id}">${[frozen, all].filter(Boolean).join(", ") || "held"}</a>`;
}

function delegation(node: Node): string {
  if (node.delegated === "0" && node.limit === "0") return "–";
  return `${ifx(node.delegated)}, takes ${ifx(node.limit)}, leaves ${node.share_bps / 100} %`;
}

export async function chainPage(): Promise<TemplateResult> {
  const [batches, epochs, cases, hearings] = await Promise.all([get<Batch[]>("/batches"), get<Epoch[]>("/epochs"), get<Case[]>("/cases"), hearingTables()]);
  return html`<h1>Settlement</h1>
    <h2>Batches</h2>${batches.length ? table(["batch", "status", "outcomes", "work", "charge", "proposed", "final"], batches.map((batch) => html`<tr>
      <td>${batch.manager}/${batch.sequence} <code>${short(batch.commitment)}</code></td><td class="wrap">${badge(batch.status)} <small>${[batch.problem, ...batch.objections.map((item) => item.says)].filter(Boolean).join("; ")}</small></td><td>${batch.outcomes}</td>
      <td>${work(batch.work)}</td><td>${usd(batch.charge)}</td><td>${when(batch.proposed_at)}</td><td>${when(batch.final_at)}</td></tr>`)) : empty("No outcome has been proposed yet.")}
    <h2>Cases</h2>${cases.length ? table(["case", "node", "stake at risk", "status", "panel", "opened"], cases.map((item) => html`<tr>
      <td><code>${short(item.id)}</code></td><td>${item.node}</td><td>${ifx(item.amount)}</td><td>${badge(item.status)}</td><td>${item.panel.join(", ") || "–"}</td><td>${when(item.opened_at)}</td></tr>`)) : empty("Nobody stands accused.")}
    ${hearings}
    <h2>Epochs</h2>${epochs.length ? table(["epoch", "work", "charged", "burned", "minted", "closed"], epochs.map((epoch) => html`<tr>
      <td>${epoch.index}</td><td>${work(epoch.work)}</td><td>${usd(epoch.charge)}</td><td>${ifx(epoch.burned)}</td><td>${ifx(epoch.minted)}</td><td>${when(epoch.closed_at)}</td></tr>`)) : empty("The first epoch is still open.")}`;
}

export async function moneyPage(address: string): Promise<TemplateResult> {
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const input = new FormData(event.target as HTMLFormElement).get("address");
    location.hash = `#/money/${String(input).trim()}`;
  };
  const form = html`<h1>Money</h1><form class="search" @submit=${search}><label for="address">Everything an address has anywhere</label>
    <input id="address" name="address" placeholder="0x…" .value=${address} spellcheck="false" autocomplete="off" /><button>Show</button></form>`;
  if (!address) return html`${form}${empty("Enter an address: wallet, stake, credit, rewards, what is frozen, and when each is free.")}`;
  const money = await get<Money>(`/money/${address}`);
  if (!money.holdings.length) return html`${form}${empty("This address has nothing in the network.")}`;
  return html`${form}${table(["where", "how much", "state", "free", "by"], money.holdings.map((row) => html`<tr><td>${row.where}</td>
    <td>${row.unit === "ifx" ? ifx(row.amount) : row.unit === "ifxDollar" ? usd(row.amount) : `${BigInt(row.amount).toLocaleString("en")} of ${short(row.unit)}`}</td>
    <td>${badge(row.state)}</td><td>${row.free_at === 0 ? "now" : row.free_at ? when(row.free_at) : row.note || "–"}</td><td><code>${row.call}</code></td></tr>`))}`;
}
