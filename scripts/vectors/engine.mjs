// The interpreter of the scheme language: it signs a request as the row of a
// provider says, and verifies one. It shares nothing with the Go package but the
// facts in schemes.json, so that each can find the other's mistakes. Clear before
// fast; only Node's standard library.
import crypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ecdsaDer, ecdsaRaw } from './ecdsa.mjs';

export const NOW = 1780000000; // the receiver's clock, seconds
export const schemes = JSON.parse(readFileSync(new URL('./schemes.json', import.meta.url)));
export const testKeys = JSON.parse(readFileSync(new URL('./test-keys.json', import.meta.url)));

// seed gives the same hex digits for the same label, for keys and ids.
export const seed = (label, digits = 24) => crypto.createHash('sha512').update('tenterhook ' + label).digest('hex').slice(0, digits);
export const sha = (alg, data) => crypto.createHash(alg).update(data).digest();
export const hmac = (alg, key, data) => crypto.createHmac(alg, key).update(data).digest();

export class Reject extends Error {}
export const reject = (why) => { throw new Reject(why); };

// ---------------------------------------------------------------- encodings

const encoders = {
  hex: (b) => b.toString('hex'),
  base64: (b) => b.toString('base64'),
  base64url: (b) => b.toString('base64url'),
};
export const encode = (enc, bytes) => encoders[enc](bytes);

export function decode(enc, text) {
  if (enc === 'hex') return /^([0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : reject('not hex');
  const strict = enc === 'base64' ? /^[A-Za-z0-9+/]+={0,2}$/ : /^[A-Za-z0-9_-]+={0,2}$/;
  if (!strict.test(text)) reject('not ' + enc);
  const bytes = Buffer.from(text, enc);
  const again = bytes.toString(enc);
  const padded = enc === 'base64' ? again : again + '='.repeat((4 - (again.length % 4)) % 4);
  if (text !== again && text !== padded) reject('not canonical ' + enc);
  return bytes;
}

const crcTable = Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});
export const crc32 = (data) => (~data.reduce((crc, byte) => (crc >>> 8) ^ crcTable[(crc ^ byte) & 255], ~0)) >>> 0;

// ---------------------------------------------------------------- requests

// A request is {method, url, headers: [[name, value]...], body: Buffer}.

export const headerValues = (req, name) => req.headers.filter(([n]) => n.toLowerCase() === name.toLowerCase()).map(([, v]) => v);
const unplus = (s) => decodeURIComponent(s.replaceAll('+', ' '));
export const parseForm = (text) => text.split('&').filter((p) => p !== '').map((pair) => {
  const at = pair.indexOf('=');
  return at < 0 ? [unplus(pair), ''] : [unplus(pair.slice(0, at)), unplus(pair.slice(at + 1))];
});
export const queryPairs = (url) => (url.includes('?') ? parseForm(url.slice(url.indexOf('?') + 1).split('#')[0]) : []);

export function formPairs(req) {
  const type = headerValues(req, 'content-type')[0] ?? '';
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)/i.exec(type)?.[1];
  try {
    if (!boundary) return parseForm(req.body.toString('utf8'));
  } catch { reject('the form is not readable'); }
  const pairs = [];
  for (const part of req.body.toString('utf8').split('--' + boundary).slice(1, -1)) {
    const [head, ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n');
    const name = /name="([^"]*)"/.exec(head)?.[1];
    if (name !== undefined) pairs.push([name, rest.join('\r\n\r\n').replace(/\r\n$/, '')]);
  }
  return pairs;
}

function document(row, req) {
  let text = req.body.toString('utf8');
  if (row.json_from) text = lookup(row, req, row.json_from)[0] ?? reject('no ' + row.json_from);
  try { return JSON.parse(text); } catch { return reject('not JSON'); }
}

export function jsonAt(doc, path) {
  let at = doc;
  for (const step of path.split('.')) {
    if (at === null || typeof at !== 'object') return undefined;
    at = at[step];
  }
  return at;
}

// lookup returns every value a source has in the request.
function lookup(row, req, source) {
  const [kind, name] = source.includes(':') ? [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)] : ['header', source];
  const named = (pairs) => pairs.filter(([n]) => n === name).map(([, v]) => v);
  switch (kind) {
    case 'header': return headerValues(req, name);
    case 'form': return named(formPairs(req));
    case 'query': return named(queryPairs(req.url));
    case 'json': {
      const value = jsonAt(document(row, req), name);
      return value === undefined || value === null ? [] : [typeof value === 'object' ? JSON.stringify(value) : String(value)];
    }
  }
  throw new Error('source ' + source);
}

// extract reads what routing needs; it never fails.
export function extract(row, req, selector) {
  if (!selector) return undefined;
  try {
    const value = lookup(row, req, selector)[0];
    return value === '' ? undefined : value;
  } catch (e) {
    if (e instanceof Reject) return undefined;
    throw e;
  }
}

// ---------------------------------------------------------------- templates

const escapeRegExp = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// patternOf compiles "v1={sig}". The word before a space is an authentication
// scheme, whose case does not matter.
function patternOf(text) {
  const names = [];
  const body = text.split(/(\{\w+\})/).map((piece) => {
    const name = /^\{(\w+)\}$/.exec(piece)?.[1];
    if (!name) return /^[A-Za-z]+ $/.test(piece) ? [...piece].map((c) => (c === ' ' ? ' ' : `[${c.toUpperCase()}${c.toLowerCase()}]`)).join('') : escapeRegExp(piece);
    names.push(name);
    return `(?<${name}>.+?)`;
  }).join('');
  return { re: new RegExp(`^${body}$`, 's'), names };
}

export const fillPattern = (text, vars) => text.replace(/\{(\w+)\}/g, (_, name) => vars[name]);

const filters = {
  sha256: (b) => sha('sha256', b),
  hex: (b) => Buffer.from(b.toString('hex')),
  base64: (b) => Buffer.from(b.toString('base64')),
  base64url: (b) => Buffer.from(b.toString('base64url')),
  crc32: (b) => Buffer.from(String(crc32(b))),
  lower: (b) => Buffer.from(b.toString('utf8').toLowerCase()),
};

export function formSorted(pairs) {
  const values = new Map();
  for (const [name, value] of pairs) values.set(name, (values.get(name) ?? new Set()).add(value));
  const names = [...values.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return names.map((name) => [...values.get(name)].sort().map((value) => name + value).join('')).join('');
}

// signedURL is the URL as the sender knows it.
const signedURL = (req, config) => config?.url ?? req.url;

// HubSpot signs its URL with these escapes undone.
const hubspotEscapes = { '%3A': ':', '%2F': '/', '%3F': '?', '%40': '@', '%21': '!', '%24': '$', '%27': "'", '%28': '(', '%29': ')', '%2A': '*', '%2C': ',', '%3B': ';' };
export const hubspotURL = (url) => url.replace(/%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi, (m) => hubspotEscapes[m.toUpperCase()]);

function expression(name, ctx) {
  const { row, req, vars, secret, config } = ctx;
  const url = row.url_unescape ? hubspotURL(signedURL(req, config)) : signedURL(req, config);
  switch (name) {
    case 'body': return req.body;
    case 'method': return req.method;
    case 'url': return url;
    case 'path': return new URL(url).pathname;
    case 'secret': return secret;
    case 'form_sorted': return formSorted(formPairs(req));
  }
  if (name.startsWith('cfg:')) return config?.[name.slice(4)];
  if (name.includes(':')) {
    const values = lookup(row, req, name.startsWith('header:') ? name.slice(7) : name);
    if (values.length > 1) reject(name + ' is there twice');
    return values[0];
  }
  return vars[name];
}

export function render(template, ctx) {
  const plain = (text) => Buffer.concat(text.split(/(\{[^}]+\})/).map((piece) => {
    if (!/^\{[^}]+\}$/.test(piece)) return Buffer.from(piece);
    const [name, ...steps] = piece.slice(1, -1).split('|');
    const value = expression(name, ctx);
    if (value === undefined) reject('no value for ' + name);
    return steps.reduce((b, step) => filters[step](b), Buffer.from(value));
  }));
  return Buffer.concat(template.split(/(\[\[.*?\]\])/).map((piece) => {
    if (!piece.startsWith('[[')) return plain(piece);
    try { return plain(piece.slice(2, -2)); } catch (e) { if (e instanceof Reject) return Buffer.alloc(0); throw e; }
  }));
}

// ---------------------------------------------------------------- keys

// keyBytes is what a secret means to a symmetric scheme; of "utf8|hex", the first.
export function keyBytes(kinds = 'utf8', secret) {
  const kind = kinds.startsWith('strip:') ? kinds : kinds.split('|')[0];
  if (kind.startsWith('strip:')) return Buffer.from(secret.replace(new RegExp('^(' + kind.slice(6) + ')'), ''));
  switch (kind) {
    case 'utf8': return Buffer.from(secret);
    case 'hex': return Buffer.from(secret, 'hex');
    case 'base64': return Buffer.from(secret, 'base64');
    case 'whsec': return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    case 'sha1': return sha('sha1', secret);
    case 'nfkd': return Buffer.from(secret.normalize('NFKD'));
    case 'basic': return Buffer.from(Buffer.from(secret).toString('base64'));
  }
  throw new Error('key ' + kind);
}

const edSpki = Buffer.from('302a300506032b6570032100', 'hex');
const ed25519Key = (raw) => (raw.length === 32 ? crypto.createPublicKey({ key: Buffer.concat([edSpki, raw]), format: 'der', type: 'spki' }) : reject('not an Ed25519 key'));

// publicKey reads a public key as a receiver has it in its configuration.
export function publicKey(kind, secret) {
  switch (kind) {
    case 'raw-hex': return ed25519Key(Buffer.from(secret, 'hex'));
    case 'raw-base64': return ed25519Key(Buffer.from(secret, 'base64'));
    case 'whpk': return ed25519Key(Buffer.from(secret.replace(/^whpk_/, ''), 'base64'));
    case 'spki-base64': return crypto.createPublicKey({ key: Buffer.from(secret, 'base64'), format: 'der', type: 'spki' });
    case 'jwk': return crypto.createPublicKey({ key: JSON.parse(secret), format: 'jwk' });
    case 'pem': case 'cert': return crypto.createPublicKey(secret);
  }
  throw new Error('key ' + kind);
}

// writePublicKey is the reverse: the text that an operator would configure.
export function writePublicKey(kind, key) {
  const spki = crypto.createPublicKey(key).export({ format: 'der', type: 'spki' });
  switch (kind) {
    case 'raw-hex': return spki.subarray(-32).toString('hex');
    case 'raw-base64': return spki.subarray(-32).toString('base64');
    case 'whpk': return 'whpk_' + spki.subarray(-32).toString('base64');
    case 'spki-base64': return spki.toString('base64');
    case 'jwk': return JSON.stringify(crypto.createPublicKey(key).export({ format: 'jwk' }));
    case 'pem': return crypto.createPublicKey(key).export({ format: 'pem', type: 'spki' });
  }
  throw new Error('key ' + kind);
}

// ---------------------------------------------------------------- algorithms

export function rawSign(alg, key, message) {
  if (alg.startsWith('hmac-')) return hmac(alg.slice(5), key, message);
  if (alg.startsWith('hash-')) return sha(alg.slice(5), message);
  if (alg.startsWith('rsa-')) return crypto.sign(alg.slice(4), message, key);
  if (alg.startsWith('ecdsa-')) return ecdsaDer(alg.slice(6), key, message);
  if (alg === 'ed25519') return crypto.sign(null, message, key);
  throw new Error('mac ' + alg);
}

export function rawVerify(alg, key, message, signature) {
  if (/^(hmac|hash)-/.test(alg)) {
    const want = rawSign(alg, key, message);
    return want.length === signature.length && crypto.timingSafeEqual(want, signature);
  }
  if (alg.startsWith('rsa-') && key.asymmetricKeyType !== 'rsa') return false;
  if (alg.startsWith('ecdsa-') && key.asymmetricKeyType !== 'ec') return false;
  if (alg === 'ed25519' && key.asymmetricKeyType !== 'ed25519') return false;
  return crypto.verify(alg === 'ed25519' ? null : alg.split('-')[1], message, key, signature);
}

const jwtHash = (alg) => 'sha' + alg.slice(2);
export function jwsSign(alg, key, input) {
  if (alg.startsWith('HS')) return hmac(jwtHash(alg), key, input);
  if (alg.startsWith('RS')) return crypto.sign(jwtHash(alg), Buffer.from(input), key);
  return ecdsaRaw(jwtHash(alg), key, Buffer.from(input));
}
export function jwsVerify(alg, key, input, signature) {
  if (alg.startsWith('HS')) {
    if (key instanceof crypto.KeyObject) return false;
    const want = hmac(jwtHash(alg), key, input);
    return want.length === signature.length && crypto.timingSafeEqual(want, signature);
  }
  if (!(key instanceof crypto.KeyObject) || key.asymmetricKeyType !== (alg.startsWith('RS') ? 'rsa' : 'ec')) return false;
  return crypto.verify(jwtHash(alg), Buffer.from(input), alg.startsWith('RS') ? key : { key, dsaEncoding: 'ieee-p1363' }, signature);
}
export const b64json = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
export function jwt(alg, key, claims, header = {}) {
  const input = b64json({ alg, typ: 'JWT', ...header }) + '.' + b64json(claims);
  return input + '.' + (alg === 'none' ? '' : jwsSign(alg, key, input).toString('base64url'));
}

// ---------------------------------------------------------------- verify

const units = { s: 1000, ms: 1 };
export function formatTime(unit = 's', ms) {
  if (unit === 'rfc3339') return new Date(ms).toISOString();
  if (unit === 'httpdate') return new Date(ms).toUTCString();
  return String(Math.floor(ms / units[unit]));
}
export function parseTime(unit = 's', text) {
  if (units[unit]) return /^[1-9]\d{0,14}$/.test(text) ? Number(text) * units[unit] : reject('not a time');
  const shape = unit === 'rfc3339' ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/ : /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;
  return shape.test(text) ? Date.parse(text) : reject('not a time');
}

// capture takes one source apart into vars and signatures.
function capture(pattern, value, vars, sigs) {
  const note = (found) => {
    for (const [name, v] of Object.entries(found)) {
      if (name === 'sig') sigs.push(v);
      else if (name === 'keyid' || vars[name] === undefined || vars[name] === v) vars[name] = v;
      else reject(name + ' is there twice');
    }
  };
  if (typeof pattern === 'string') {
    const match = patternOf(pattern).re.exec(value);
    return match ? note(match.groups ?? {}) : reject('it does not look as it should');
  }
  const parts = value.split(new RegExp('[' + escapeRegExp(pattern.sep) + ']')).map((p) => p.trim()).filter((p) => p !== '');
  parts.forEach((part, i) => {
    for (const item of pattern.positional ? [pattern.items[Math.min(i, pattern.items.length - 1)]] : pattern.items) {
      const match = patternOf(item).re.exec(part);
      if (match) return note(match.groups ?? {});
    }
  });
  const wanted = pattern.items.flatMap((item) => patternOf(item).names);
  for (const name of wanted) if (name === 'sig' ? sigs.length === 0 : vars[name] === undefined) reject('no ' + name);
}

function numbered(req, name) {
  const values = [];
  for (let n = 1; n <= 100; n++) {
    const here = headerValues(req, name.replace('#', n));
    if (here.length > 1) reject(name + ' is there twice');
    values.push(...here);
  }
  return values;
}

function read(row, req) {
  const vars = {}, sigs = [];
  for (const [key, pattern] of Object.entries(row.read)) {
    const optional = key.endsWith('?'), source = key.replace(/\?$/, '');
    const values = source.endsWith('#') ? numbered(req, source) : lookup(row, req, source);
    if (!source.endsWith('#') && values.length > 1) reject(source + ' is there twice');
    if (values.length === 0 && !optional) reject('no ' + source);
    for (const value of values) capture(pattern, value, vars, sigs);
  }
  return { vars, sigs };
}

function verifyJWT(row, req, token, options) {
  const { secrets, config, now } = options;
  const parts = token.split('.');
  if (parts.length !== 3) reject('not a JWT');
  const json = (part) => { try { return JSON.parse(decode('base64url', part)); } catch { return reject('not a JWT'); } };
  const [header, claims] = [json(parts[0]), json(parts[1])];
  const allowed = row.mac.replace('jwt-', '').toUpperCase().split(',');
  if (!allowed.includes(header.alg)) reject('algorithm ' + header.alg);
  const signature = decode('base64url', parts[2]);
  const ok = secrets.some((secret) => {
    if (secret === '') return false;
    const isPublic = row.key === 'jwk' || row.key === 'pem' || secret.startsWith('-----BEGIN');
    const key = isPublic ? publicKey(row.key === 'jwk' ? 'jwk' : 'pem', secret) : Buffer.from(secret);
    return jwsVerify(header.alg, key, parts[0] + '.' + parts[1], signature);
  });
  if (!ok) reject('no key matches');
  if (claims.exp !== undefined && claims.exp < now) reject('expired');
  if (claims.nbf !== undefined && claims.nbf > now) reject('not yet valid');
  if (row.tolerance && !(Math.abs(now - claims.iat) <= row.tolerance)) reject('too old');
  for (const [key, want] of Object.entries(row.claims ?? {})) {
    const name = key.replace(/\?$/, '');
    if (claims[name] === undefined && key.endsWith('?') && req.body.length === 0) continue;
    const text = typeof want === 'string' ? render(want, { row, req, vars: {}, config }).toString() : want;
    const got = row.claims_nopad && typeof claims[name] === 'string' ? claims[name].replace(/=+$/, '') : claims[name];
    if (got !== text) reject('claim ' + name);
  }
}

// fetched are the certificates that config.certs has at the URL in the request.
function fetched(row, req, config) {
  const [url] = row.key_url ? lookup(row, req, row.key_url.replace('header:', '')) : [];
  const host = /^https:\/\/([^/:@?#]+)\//.exec(url ?? '')?.[1];
  return host && new RegExp(row.key_hosts).test(host) && config?.certs?.[url] ? [config.certs[url]] : [];
}

// verify returns nothing, or throws Reject with the reason.
export function verify(row, req, options) {
  const { secrets, config, now = NOW } = options;
  const usable = secrets.length === 0 ? fetched(row, req, config) : secrets.filter((s) => s !== '');
  if (usable.length === 0) reject('no key');
  for (const [name, want] of Object.entries(row.require ?? {})) {
    const got = headerValues(req, name);
    if (got.length !== 1 || got[0] !== want) reject(name);
  }
  const { vars, sigs } = read(row, req);
  if (vars.time !== undefined) {
    const at = parseTime(row.time, vars.time);
    if (row.tolerance && Math.abs(now * 1000 - at) > row.tolerance * 1000) reject('outside the window');
  }
  for (const [source, template] of Object.entries(row.bind ?? {})) {
    const got = lookup(row, req, source);
    if (got.length !== 1 || got[0] !== render(template, { row, req, vars, config }).toString()) reject(source);
  }
  for (const [list, field] of Object.entries(row.every ?? {})) {
    const items = jsonAt(document(row, req), list);
    if (items.some((item) => !usable.includes(item?.[field]))) reject(`not every ${list} has ${field}`);
  }
  if (row.mac === 'token') {
    const same = usable.some((s) => keyBytes(row.key, s).equals(Buffer.from(vars.token)));
    return same ? undefined : reject('no key matches');
  }
  if (row.mac?.startsWith('jwt-')) return verifyJWT(row, req, vars.jwt, { secrets: usable, config, now });
  const [alg, enc] = (row.mac ?? 'hmac-sha256 hex').split(' ');
  const symmetric = /^(hmac|hash)-/.test(alg);
  const signatures = sigs.flatMap((s) => { try { return [decode(enc, s)]; } catch (e) { if (e instanceof Reject) return []; throw e; } });
  for (const secret of usable) {
    const message = render(row.sign ?? '{body}', { row, req, vars, secret, config });
    const kinds = row.key === 'utf8|hex' ? ['utf8', 'hex'] : [row.key];
    const keys = symmetric ? kinds.map((kind) => keyBytes(kind, secret)) : [publicKey(row.key, secret)];
    if (keys.some((key) => signatures.some((s) => rawVerify(alg, key, message, s)))) return undefined;
  }
  return reject('no key matches');
}
