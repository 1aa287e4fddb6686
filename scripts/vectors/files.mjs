// The files of vectors: one per scheme, one vector a line, keys in one order.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const dir = new URL('../../signature/testdata/vectors/', import.meta.url);
const order = ['id', 'provider', 'variant', 'kind', 'class', 'method', 'url', 'path', 'headers', 'body_base64', 'secrets', 'config', 'now', 'valid', 'type', 'delivery_id', 'expect', 'oracle', 'note'];

// The scheme of Standard Webhooks is spelled with a hyphen in Go.
const file = (name) => new URL((name === 'standardwebhooks' ? 'standard-webhooks' : name) + '.jsonl', dir);

export const readVectors = (name) => (existsSync(file(name)) ? readFileSync(file(name), 'utf8').split('\n').filter(Boolean).map((l) => JSON.parse(l)) : []);

export function writeVectors(name, vectors) {
  mkdirSync(dir, { recursive: true });
  const line = (v) => JSON.stringify(Object.fromEntries(order.filter((k) => v[k] !== undefined && v[k] !== null).map((k) => [k, v[k]])));
  writeFileSync(file(name), vectors.map(line).join('\n') + '\n');
}
