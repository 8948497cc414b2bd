/**
 * A model of many nodes: 1,000,000 accounts on 100 nodes, moves, and the loss of a node, with the directory as nodes keep
 * it (domains.conf with versions) and the same order of steps as src/serve/nodes/departures.ts. Crashes come between any
 * two steps. At each moment every account is at exactly one node; and it prints what a directory of that size costs.
 *
 *     deno run -A tests/bench/nodes_simulation.ts [accounts] [nodes] [moves] [seed]
 *
 * @module
 */
import assert from "node:assert/strict";

const [accounts, nodes, moves, seed] = [1_000_000, 100, 20_000, 1].map((usual, i) =>
  Number(Deno.args[i] ?? usual)
);

let state = seed >>> 0;
/** A whole number from 0 to below n, the same for the same seed. */
function random(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor(state / 2 ** 32 * n);
}

/** Where accounts are by the newest directory; what each node knows of it is as of a version. */
const at = new Uint16Array(accounts);
for (let a = 0; a < accounts; a++) at[a] = a % nodes;
/** Changes of the directory in their order: the version after the n-th is n + 1. */
const changes: { account: number; to: number }[] = [];
/** Up to which version each node's copy is. */
const knows = new Int32Array(nodes);
/** Who has data of an account that it may serve: the node by the sender's directory, and no copy. */
const data = new Map<number, { ready?: number }>();
const up = new Uint8Array(nodes).fill(1);

/** Whether a node takes itself for the home of an account, by its own copy of the directory. */
const views: Map<number, number>[] = Array.from({ length: nodes }, () => new Map());
const home = (node: number, account: number) => views[node].get(account) ?? account % nodes;

function learn(node: number, version: number): void {
  for (let v = knows[node]; v < version; v++) views[node].set(changes[v].account, changes[v].to);
  knows[node] = Math.max(knows[node], version);
}

/** Nodes that would serve an account: at home by their own directory, and with its data. */
function serving(account: number): number[] {
  const found: number[] = [];
  // Only the home and nodes it ever was at, or goes to, can have data of it.
  for (const n of new Set([account % nodes, at[account], ...holders(account)])) {
    if (!up[n] || home(n, account) !== n) continue;
    // A copy that is ready is not served before it is taken.
    if (data.get(account * nodes + n)?.ready !== undefined) continue;
    if (has.get(account) === n) found.push(n);
  }
  return found;
}
/** The node whose folder of the account is the one in use. */
const has = new Map<number, number>();
function holders(account: number): number[] {
  return has.has(account) ? [has.get(account)!] : [account % nodes];
}
const folder = (account: number) => has.get(account) ?? account % nodes;

let crashes = 0;
let refused = 0;
let away = 0;
const started = performance.now();
for (let m = 0; m < moves; m++) {
  const account = random(accounts);
  const from = at[account];
  const to = (from + 1 + random(nodes - 1)) % nodes;
  has.set(account, folder(account));
  // A node is lost, and comes back later with what it knew.
  if (random(400) === 0) up[random(nodes)] = 0;
  if (random(4000) === 0) up.fill(1);
  if (!up[from] || !up[to]) {
    refused++;
    continue;
  }
  learn(from, changes.length);
  const key = account * nodes + to;
  let decided = false;
  for (let step = 0, tries = 0; step < 5; tries++) {
    const crash = random(4) === 0 && tries < 40;
    if (crash) crashes++;
    // Killed before the step: what is on disk says where to go on.
    if (crash) {
      step = decided ? 2 : 0;
      continue;
    }
    if (step === 0) data.set(key, { ready: m });
    if (step === 1) {
      // One file at the sender is replaced: the one moment that counts.
      changes.push({ account, to });
      learn(from, changes.length);
      at[account] = to;
      decided = true;
    }
    if (step === 2) learn(to, changes.length);
    if (step === 3 && data.delete(key)) has.set(account, to);
    const who = serving(account);
    assert.ok(who.length <= 1, `account ${account} is served by nodes ${who}`);
    if (who.length === 0) away++;
    step++;
  }
  assert.deepEqual(serving(account), [to]);
  // Others hear of it some time later.
  const other = random(nodes);
  if (up[other]) learn(other, random(changes.length + 1));
}
for (let n = 0; n < nodes; n++) {
  up[n] = 1;
  learn(n, changes.length);
}
for (const { account } of changes) {
  assert.deepEqual(serving(account), [at[account]]);
  for (let n = 0; n < nodes; n++) assert.equal(home(n, account), at[account]);
}
const took = performance.now() - started;

/** What a directory of that size costs each node, as a map by name. */
const before = Deno.memoryUsage().heapUsed;
const names = new Map<string, number>();
for (let a = 0; a < accounts; a++) names.set(`account${a}`, at[a]);
const memory = Deno.memoryUsage().heapUsed - before;
const lookups = 1_000_000;
const t = performance.now();
let sum = 0;
for (let i = 0; i < lookups; i++) sum += names.get(`account${random(accounts)}`)!;
const lookup = (performance.now() - t) * 1e6 / lookups;

const lost = Array.from(at).filter((n) => n === 7).length;
console.log(
  `${accounts} accounts, ${nodes} nodes, ${moves} moves, ${crashes} crashes between steps, seed ${seed}`,
);
console.log(
  `moves done ${changes.length}, refused as a node was down ${refused}; ${Math.round(took)} ms`,
);
console.log(
  `looks at which an account was at no node, while it was handed over: ${away}; at two: 0`,
);
console.log(`a lost node takes ${lost} accounts with it (${(100 * lost / accounts).toFixed(1)} %)`);
console.log(
  `directory as a map: ${Math.round(memory / 1e6)} MB, ${Math.round(lookup)} ns a look (sum ${
    sum > 0
  })`,
);
