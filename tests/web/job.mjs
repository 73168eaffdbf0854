// SPDX-License-Identifier: Apache-2.0
// What the page of a job shows, told by the page's own code; `node job.mjs SCENARIO`. The API is written here, and may keep an answer back.
import assert from "node:assert/strict";
import { resolveObjectURL } from "node:buffer";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
const { build } = createRequire(join(web, "package.json"))("esbuild");

async function page() {
  const folder = mkdtempSync(join(tmpdir(), "inferix-page-"));
  const contents = `export * from "./job"; export * from "./api"; export { subkey } from "./seal"; export { default as sodium } from "libsodium-wrappers";`;
  try {
    const js = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url), __dirname = import.meta.dirname;';
    const stdin = { contents, resolveDir: join(web, "src"), loader: "ts" };
    await build({ stdin, bundle: true, platform: "node", format: "esm", outfile: join(folder, "page.mjs"), banner: { js }, logLevel: "error" });
    return await import(pathToFileURL(join(folder, "page.mjs")));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { closeJob, documentCid, fromHex, jobPage, sodium, subkey } = await page();
const KEY = "5e".repeat(32), FAILS = "fails";
const answers = new Map(), asked = [];
globalThis.location = { hash: "" };
globalThis.fetch = async (path) => {
  asked.push(path);
  const answer = await answers.get(path)?.();
  return answer === undefined || answer === FAILS ? new Response("{}", { status: 500 }) : new Response(answer);
};

async function sealed(task, text, label = "result") {
  await sodium.ready;
  const key = await subkey(fromHex(KEY), label, fromHex(task), Uint8Array.of(0));
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  const body = sodium.crypto_secretstream_xchacha20poly1305_push(state, text, null, sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL);
  return Buffer.concat([header, body]);
}

// A job of one frame that is complete; what its storage has can be changed in `answers`.
async function complete(name) {
  const task = name.repeat(64), result = `${name}1`.repeat(32);
  const settings = { first_frame: 1, last_frame: 1, width: 4, height: 4, samples: 1 };
  const job = { id: name, status: "complete", reason: "", client: "", cap: 0, charged: 0, tasks: [], settings };
  const film = { stills: [{ cid: `${name}still` }], movie: { cid: `${name}movie` }, contact_sheet: { cid: "" } };
  const say = (path, value) => answers.set(path, () => value);
  say(`/jobs/${name}`, JSON.stringify(job));
  say(`/jobs/${name}/results`, JSON.stringify({ results: [{ task, kind: "assemble", attempt: 0, node: 1, result }] }));
  say(`/files/${documentCid(result)}`, JSON.stringify({ film }));
  say(`/files/${name}still`, await sealed(task, `still of ${name}`));
  say(`/files/${name}movie`, await sealed(task, `film of ${name}`));
  return { results: `/jobs/${name}/results`, document: `/files/${documentCid(result)}`, still: `/files/${name}still`, movie: `/files/${name}movie` };
}

const aMoment = () => new Promise((done) => setTimeout(done, 100));
let drawnAgain = 0;
// What the pictures and the film on the page say, once nothing is on its way.
async function shown(name) {
  location.hash = `#/jobs/${name}?key=${KEY}`;
  const urls = [];
  const look = (value) => {
    if (typeof value === "string" && value.startsWith("blob:")) urls.push(value);
    else if (Array.isArray(value)) value.forEach(look);
    else if (Array.isArray(value?.values)) look(value.values);
  };
  look(await jobPage(name, async () => { drawnAgain += 1; }));
  await aMoment();
  return [...new Set(await Promise.all(urls.map(async (url) => (await resolveObjectURL(url)?.text()) ?? "revoked")))].sort();
}

// Keeps the answer back until it is told to go.
function kept(path) {
  const whole = answers.get(path);
  let go;
  const until = new Promise((done) => { go = done; });
  answers.set(path, async () => { await until; return whole(); });
  return async () => { go(); await aMoment(); };
}

const scenarios = {
  async shows() {
    await complete("a");
    assert.deepEqual(await shown("a"), []);
    assert.equal(drawnAgain, 1);
    assert.deepEqual(await shown("a"), ["film of a", "still of a"]);
    const before = asked.length;
    await shown("a");
    assert.deepEqual(asked.slice(before), ["/jobs/a"], "what is open is not fetched again");
    closeJob();
    assert.deepEqual(await shown("a"), [], "each page opens its own");
  },
  async left() {
    for (const which of ["results", "document", "still", "movie"]) {
      const a = await complete("a");
      await complete("b");
      const go = kept(a[which]);
      void shown("a");
      await aMoment();
      closeJob();
      const urls = new Set(), { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = (blob) => { const url = createObjectURL(blob); urls.add(url); return url; };
      URL.revokeObjectURL = (url) => { urls.delete(url); revokeObjectURL(url); };
      const drawn = drawnAgain;
      await go();
      Object.assign(URL, { createObjectURL, revokeObjectURL });
      assert.equal(urls.size, 0, `${which}: what arrives for a page that was left is let go`);
      assert.equal(drawnAgain, drawn);
      await shown("b");
      assert.deepEqual(await shown("b"), ["film of b", "still of b"], which);
      closeJob();
    }
  },
  async tail() {
    const a = await complete("a"), whole = answers.get(a.still)(), full = Buffer.alloc(65_536, "x");
    answers.set(a.still, async () => Buffer.concat([await sealed("a".repeat(64), full), Buffer.from("more")]));
    await shown("a");
    assert.deepEqual(await shown("a"), [], "what goes on after its end is not shown");
    answers.set(a.still, () => sealed("a".repeat(64), full));
    await shown("a");
    assert.deepEqual(await shown("a"), ["film of a", full.toString()], "a whole last chunk is the end");
    answers.set(a.still, () => whole);
  },
  async large() {
    const task = "c".repeat(64), settings = { first_frame: 1, last_frame: 1, width: 4, height: 4, samples: 1 };
    const progress = [{ task, attempt: 0, frame: 1, node: 1, permille: 1000, preview: "look" }];
    const tasks = [{ id: task, kind: "render", first_frame: 1, last_frame: 1, done: false, attempts: [{ number: 0, status: "running", votes: [], objections: [], contradictions: [] }] }];
    answers.set("/jobs/c", () => JSON.stringify({ id: "c", status: "running", reason: "", client: "", cap: 0, charged: 0, tasks, settings, progress }));
    let sent = 0;
    const endless = () => new ReadableStream({ pull(into) { sent += 2 ** 20; into.enqueue(new Uint8Array(2 ** 20)); if (sent >= 2 ** 26) into.close(); } });
    answers.set("/files/look", endless);
    await shown("c");
    assert.deepEqual(await shown("c"), []);
    assert.ok(sent <= 16 * 2 ** 20, `${sent} bytes were read of what may have 4 MiB`);
    answers.set("/files/look", () => sealed(task, "a quick look", "preview"));
    await shown("c");
    assert.deepEqual(await shown("c"), ["a quick look"]);
  },
  async fails() {
    for (const which of ["results", "document", "still", "movie"]) {
      const a = await complete("a"), whole = answers.get(a[which]);
      answers.set(a[which], () => FAILS);
      await shown("a").catch(() => null);
      await shown("a").catch(() => null);
      answers.set(a[which], whole);
      await shown("a");
      assert.deepEqual(await shown("a"), ["film of a", "still of a"], which);
      closeJob();
    }
  },
};

process.on("unhandledRejection", (error) => { console.error("unhandled:", error); process.exit(1); });
await scenarios[process.argv[2]]();
