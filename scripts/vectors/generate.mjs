// Writes signature/testdata/vectors/NAME.jsonl. See README.md.
//
//   node generate.mjs          every scheme
//   node generate.mjs NAME...  these
import { Reject, schemes, verify } from './engine.mjs';
import { readVectors, writeVectors } from './files.mjs';
import { imported } from './imported.mjs';
import { vectorsOf } from './variants.mjs';
import { coded, verifyCoded } from './coded.mjs';
import { handshakes } from './handshakes.mjs';
import { extras } from './extras.mjs';

// check asks the interpreter whether each request is what the vector says.
function check(v) {
  if (v.kind !== 'request') return;
  let why;
  try {
    const req = { method: v.method, url: v.url, headers: v.headers, body: Buffer.from(v.body_base64, 'base64') };
    if (schemes[v.provider]) verify(schemes[v.provider], req, v);
    else verifyCoded(v.provider, req, v);
  } catch (e) {
    if (!(e instanceof Reject)) throw e;
    why = e.message;
  }
  if ((why === undefined) !== v.valid) {
    console.error(`${v.id}: the vector says ${v.valid ? 'accept' : 'reject'}, the interpreter ${why ?? 'accepts'}`);
    process.exitCode = 1;
  }
}

const names = [...new Set([...Object.keys(schemes), ...Object.keys(coded), ...Object.keys(handshakes)])];
const wanted = process.argv.slice(2).length ? process.argv.slice(2) : names;
let count = 0;
for (const name of wanted) {
  if (!names.includes(name)) { console.error(`there is no scheme ${name}; add its row to schemes.json`); process.exit(2); }
  const before = readVectors(name);
  const made = [...(schemes[name] && !imported.has(name) ? vectorsOf(name, schemes[name]) : []), ...(coded[name]?.() ?? []), ...(extras[name]?.() ?? []), ...(handshakes[name]?.() ?? [])];
  const own = new Set(made.map((v) => v.id));
  if (own.size !== made.length) throw new Error(name + ' has an id twice');
  const kept = imported.has(name) ? before.filter((v) => !own.has(v.id)) : [];
  // An oracle's verdict stays as long as the request is the same.
  const verdicts = new Map(before.map((v) => [v.id, v]));
  for (const v of made) {
    const old = verdicts.get(v.id);
    if (old?.oracle && JSON.stringify([old.url, old.headers, old.body_base64, old.secrets]) === JSON.stringify([v.url, v.headers, v.body_base64, v.secrets])) v.oracle = old.oracle;
  }
  const all = [...kept, ...made];
  all.forEach(check);
  count += all.length;
  writeVectors(name, all);
}
console.log(`${count} vectors of ${wanted.length} schemes`);
