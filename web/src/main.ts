// SPDX-License-Identifier: Apache-2.0
// The page: a living view of the network, its jobs, proofs and money. Routes are in the fragment.
import { html, nothing, render, type TemplateResult } from "lit-html";
import { get, type Network } from "./api";
import { nodePage } from "./hearings";
import { closeJob, jobPage } from "./job";
import { chainPage, jobsPage, moneyPage, nodesPage, overviewPage } from "./pages";

type Page = () => Promise<TemplateResult>;
const LINKS: [string, string][] = [["#/", "Network"], ["#/jobs", "Jobs"], ["#/nodes", "Nodes"], ["#/settlement", "Settlement"], ["#/money", "Money"]];
const app = document.getElementById("app") as HTMLElement;
let body: TemplateResult = html`<p class="quiet" role="status">Asking the network…</p>`;
let network: Network | null = null;
let trouble = "";
let route = "";
let isShown = false;

function frame(): TemplateResult {
  const here = location.hash.split("?")[0] || "#/";
  return html`
    <a class="skip" href="#content">Skip to the content</a>
    <header>
      <a class="brand" href="#/"><img src="/icon.svg" alt="" width="28" height="28" />Inferix</a>
      <nav aria-label="Pages">
        ${LINKS.map(([to, name]) => html`<a href=${to} aria-current=${isHere(to, here) ? "page" : "false"}>${name}</a>`)}
      </nav>
      <span class="chain" title="chain, newest mirrored block">${network ? html`<i class="beat"></i>chain ${network.chain_id} · block ${network.block.toLocaleString("en")}` : nothing}</span>
    </header>
    ${trouble ? html`<p class="trouble" role="alert">${trouble}</p>` : nothing}
    <main id="content" tabindex="-1">${body}</main>
    <footer>Every number here is replayed from chain events; <code>inferix audit</code> recomputes it without this server.</footer>`;
}

const isHere = (to: string, here: string): boolean => (to === "#/" ? here === "#/" : here.startsWith(to));

function pageOf(path: string): Page {
  const parts = path.split("/").slice(1);
  if (parts[0] === "jobs" && parts[1]) return () => jobPage(parts[1] as string, draw);
  if (parts[0] === "jobs") return jobsPage;
  if (parts[0] === "nodes" && parts[1]) return () => nodePage(parts[1] as string);
  if (parts[0] === "nodes") return nodesPage;
  if (parts[0] === "settlement") return chainPage;
  if (parts[0] === "money") return () => moneyPage(parts[1] ?? "");
  return overviewPage;
}

let drawing = ""; // the path that is being fetched: a slow API is not asked again before it has answered

async function draw(): Promise<void> {
  const path = (location.hash || "#/").slice(1).split("?")[0] as string;
  if (path !== route) {
    route = path;
    isShown = false;
    closeJob();
    body = html`<p class="quiet" role="status">Loading…</p>`;
    render(frame(), app);
  }
  if (drawing === path) return;
  drawing = path;
  try {
    const [state, page] = await Promise.all([get<Network>("/network"), pageOf(path)()]);
    if (path !== route) return;
    network = state;
    body = page;
    isShown = true;
    trouble = "";
  } catch (error) {
    trouble = `${error instanceof Error ? error.message : String(error)} — trying again.`;
    if (path === route && !isShown) body = html``;
  } finally {
    if (drawing === path) drawing = "";
  }
  render(frame(), app);
}

window.addEventListener("hashchange", () => void draw());
setInterval(() => void (document.visibilityState === "visible" && draw()), 2000);
render(frame(), app);
void draw();
