// What the schemes in code share: making and changing the vectors of one scheme.
import crypto from 'node:crypto';
import { decode, headerValues, NOW, reject, seed } from './engine.mjs';

export const hexKey = (name, who, digits = 64) => seed(`secret ${name} ${who}`, digits);
export const textKey = (name, who) => `${name.replaceAll('_', '-')}-${who}-${seed(`secret ${name} ${who}`)}`;
export const base = (name) => `https://hooks.example.com/in/${name}`;
export const one = (req, name) => { const v = headerValues(req, name); return v.length === 1 ? v[0] : reject(v.length ? name + ' is there twice' : 'no ' + name); };
export const parse = (body) => { try { return JSON.parse(body.toString()); } catch { return reject('not JSON'); } };
export const same = (a, b) => a.length === b.length && crypto.timingSafeEqual(a, b);
export const any = (secrets, test) => (secrets.filter((s) => s !== '').some(test) ? undefined : reject('no key matches'));
export const signedURL = (req, config) => config?.url ?? req.url;
export const target = (url) => url.replace(/^\w+:\/\/[^/]+/, '');
export const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
export const asKey = (secret) => crypto.createPublicKey(secret.startsWith('{') ? { key: JSON.parse(secret), format: 'jwk' } : secret.startsWith('-----') ? secret : { key: Buffer.from(secret, 'base64'), format: 'der', type: 'spki' });
export const flip = (s, at = 4) => s.slice(0, at) + (s[at] === 'a' ? 'b' : 'a') + s.slice(at + 1);

// maker collects the vectors of one scheme. make(options) signs a request.
export function maker(name, make, secret) {
  const out = [];
  const add = (variant, klass, valid, note, options = {}, { edit, secrets, config, expect = {} } = {}) => {
    const req = { method: 'POST', url: base(name), ...make(options) };
    edit?.(req);
    out.push({
      id: `${name}/${variant}`, provider: name, variant, kind: 'request', class: klass, method: req.method, url: req.url, path: target(req.url), headers: req.headers,
      body_base64: req.body.toString('base64'), secrets: secrets ?? [secret], ...(config && { config }), now: NOW, valid, ...(valid ? expect : {}), oracle: null, note,
    });
  };
  const must = (variant, valid, note, options, more) => add(variant, 'must', valid, note, options, more);
  return { out, add, must };
}
export const body = (change) => ({ edit: (req) => { req.body = Buffer.from(change(req.body.toString())); } });
export const header = (name, change) => ({
  edit: (req) => {
    req.headers = req.headers.flatMap(([n, v]) => (n.toLowerCase() === name.toLowerCase() ? [].concat(change(v) ?? []).map((x) => [n, x]) : [[n, v]]));
  },
});
// common are the mistakes every scheme with a signature header must find.
export function common({ must, add }, sigHeader, A, B, keyOption = 'key') {
  must('bad_wrong_secret', false, 'signed with another key', { [keyOption]: B.key });
  must('rotation_old_key_still_configured', true, 'two keys configured, signed with the second', { [keyOption]: B.key }, { secrets: [A.secret, B.secret] });
  if (!sigHeader) return;
  must('bad_missing_signature', false, 'signature header absent', {}, header(sigHeader, () => undefined));
  must('bad_empty_signature', false, 'signature header empty', {}, header(sigHeader, () => ''));
  must('bad_garbage_signature', false, 'signature header is not parseable', {}, header(sigHeader, () => 'garbage'));
  add('dup_header_good_then_bad', 'policy', false, 'two signature headers, second wrong: ambiguous, reject', {}, header(sigHeader, (v) => [v, flip(v, v.length - 6)]));
}
export const emptySecret = ({ add }, keyOption = 'key') => add('bad_empty_secret_configured', 'policy', false, 'forged with an empty key, an empty secret configured: must fail closed', { [keyOption]: '' }, { secrets: [''] });

// readJWT takes a compact JWS apart, and believes nothing of it.
export function readJWT(token) {
  const parts = token.split('.');
  if (parts.length !== 3) reject('not a JWT');
  return { parts, header: parse(decode('base64url', parts[0])), claims: parse(decode('base64url', parts[1])), sig: decode('base64url', parts[2]), input: parts[0] + '.' + parts[1] };
}
