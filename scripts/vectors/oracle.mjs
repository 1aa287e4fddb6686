// Asks the providers' own SDKs about the vectors, and writes their verdicts into
// the files as `oracle`. See README.md.
//
//   node oracle.mjs            every SDK that is installed
//   node oracle.mjs NAME...    those of these schemes
//   node oracle.mjs --table    also the disagreements, as Markdown
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { formPairs, headerValues, queryPairs } from './engine.mjs';
import { readVectors, writeVectors } from './files.mjs';
import { oracles } from './sdks.mjs';

const require = createRequire(import.meta.url);
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

// The SDKs read the clock themselves: it shows the time of the vector.
const RealDate = Date;
let clock = RealDate.now();
globalThis.Date = class extends RealDate {
  constructor(...args) { super(...(args.length ? args : [clock])); }
  static now() { return clock; }
};

// SDKs log what they do not like.
for (const f of ['log', 'warn', 'error', 'debug']) console['_' + f] = console[f];
const quiet = (on) => { for (const f of ['log', 'warn', 'error', 'debug']) console[f] = on ? () => {} : console['_' + f]; };

// request is a vector as an SDK wants it: duplicated headers joined as Node does.
function request(v) {
  const headers = {};
  for (const [n, value] of v.headers) {
    const name = n.toLowerCase();
    if (!(name in headers)) headers[name] = value;
    else if (!['authorization', 'content-type', 'user-agent'].includes(name)) headers[name] += ', ' + value;
  }
  const raw = Buffer.from(v.body_base64, 'base64');
  const req = { method: v.method, url: v.url, headers: v.headers, body: raw };
  return {
    v, headers, raw, text: raw.toString('utf8'), method: v.method, url: v.config?.url ?? v.url, config: v.config ?? {}, header: (n) => headers[n.toLowerCase()],
    form: () => formPairs(req), query: () => queryPairs(v.url), json: () => JSON.parse(raw.toString('utf8')), all: (n) => headerValues(req, n),
    fetch: () => new Request(v.url, { method: v.method, headers: v.headers, ...(v.method === 'GET' || v.method === 'HEAD' ? {} : { body: raw }) }),
  };
}

async function verdict(oracle, sdk, v) {
  clock = v.now * 1000;
  for (const secret of oracle.allKeys ? [v.secrets] : v.secrets) {
    try {
      if ((await oracle.verify(sdk, request(v), secret)) !== false) return 'accept';
    } catch (e) {
      if (process.env.WHY) console._error(v.id, String(e).slice(0, 150));
    }
  }
  return 'reject';
}

const table = process.argv.includes('--table'), only = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const rows = [], counts = [];
for (const oracle of oracles) {
  const wanted = oracle.schemes.filter((s) => only.length === 0 || only.includes(s));
  if (wanted.length === 0) continue;
  let sdk, name;
  try {
    name = `${oracle.sdk}@${version(oracle.sdk)}`;
    sdk = await oracle.load(require);
  } catch (e) {
    console.error(`${oracle.sdk} cannot be used: ${String(e).split('\n')[0]}`);
    continue;
  }
  for (const scheme of wanted) {
    const vectors = readVectors(scheme);
    const asked = { scheme, name, agree: 0, disagree: 0, valid: 0 };
    for (const v of vectors) {
      if (v.kind !== 'request' || v.secrets.length === 0 || v.secrets[0] === '' || (oracle.skip ?? []).some((s) => new RegExp(`^(${s})$`).test(v.variant))) continue;
      if (v.oracle && !v.oracle.sdk.startsWith(oracle.sdk + '@')) continue; // an imported verdict stays
      if (v.oracle?.signed_by_sdk) continue;
      quiet(true);
      const result = await verdict(oracle, sdk, v);
      quiet(false);
      v.oracle = { sdk: name, result, ...(oracle.partial && { partial: oracle.partial }) };
      const agrees = (result === 'accept') === v.valid;
      asked[agrees ? 'agree' : 'disagree']++;
      if (v.valid && result === 'accept') asked.valid++;
      if (!agrees) rows.push({ id: v.id, class: v.class, want: v.valid ? 'accept' : 'reject', result, name });
    }
    counts.push(asked);
    if (asked.valid === 0) console.error(`${name} accepts nothing of ${scheme}: is it asked in the right way?`);
    else writeVectors(scheme, vectors);
  }
}
const sum = (key) => counts.reduce((n, c) => n + c[key], 0);
console.log(`${counts.length} schemes, ${new Set(counts.map((c) => c.name)).size} SDKs: ${sum('agree')} verdicts agree, ${sum('disagree')} do not`);
for (const r of rows.filter((r) => r.class === 'must')) console.log(`must ${r.id}: we ${r.want}, ${r.name} ${r.result}s`);
if (table) {
  const by = new Map();
  for (const r of rows) { const k = `| ${r.name} | ${r.id.split('/')[1]} | ${r.class} | ${r.result} |`; by.set(k, [...(by.get(k) ?? []), r.id.split('/')[0]]); }
  console.log('\n| SDK | variant | class | the SDK says | schemes |\n|---|---|---|---|---|');
  for (const [k, schemes] of by) console.log(`${k} ${schemes.join(', ')} |`);
}
