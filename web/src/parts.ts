// SPDX-License-Identifier: Apache-2.0
// What every page is put together from.
import { html, type TemplateResult } from "lit-html";

export const badge = (text: string): TemplateResult => html`<span class="badge ${text}">${text.replace("_", " ")}</span>`;
export const empty = (text: string): TemplateResult => html`<p class="quiet">${text}</p>`;

// `kind` "stack": on a phone each row's cells stand one below the other, named by their `data-name`.
export function table(head: string[], rows: TemplateResult[], kind = ""): TemplateResult {
  return html`<div class="scroll" tabindex="0"><table class=${kind}><thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
