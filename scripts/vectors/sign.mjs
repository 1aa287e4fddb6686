// Signing a request as a row says, with knobs to get each thing wrong.
import { fillPattern, formatTime, jwt, keyBytes, NOW, encode, rawSign, render, seed, testKeys, writePublicKey } from './engine.mjs';
import * as samples from './samples.mjs';

export const isSymmetric = (row) => /^(hmac|hash)-/.test(row.mac ?? 'hmac-sha256 hex');
const keyType = (row) => (/ed25519/.test(row.mac) ? 'ed25519' : /ecdsa|es256/.test(row.mac) ? 'p256' : 'rsa');
const isPublic = (row) => (row.mac?.startsWith('jwt-') ? ['jwk', 'pem'].includes(row.key) : row.mac !== 'token' && !isSymmetric(row));

const secretTexts = {
  utf8: (name, who) => `${name.replaceAll('_', '-')}-${who}-${seed(`secret ${name} ${who}`)}`,
  hex: (name, who) => seed(`secret ${name} ${who}`, 64),
  base64: (name, who) => Buffer.from(seed(`secret ${name} ${who}`, 64), 'hex').toString('base64'),
  whsec: (name, who) => 'whsec_' + Buffer.from(seed(`secret ${name} ${who}`, 64), 'hex').toString('base64'),
  sha1: (name, who) => seed(`secret ${name} ${who}`, 32),
  nfkd: (name, who) => `ﬁxture-Åé-${who}-${seed(`secret ${name} ${who}`, 16)}`,
  strip: (name, who) => `signkey-${who === 'A' ? 'test' : 'prod'}-${seed(`secret ${name} ${who}`, 64)}`,
  basic: (name, who) => `hook-user:${who}:pa:ss-${seed(`secret ${name} ${who}`, 16)}`,
};
// Finch shows its secret without "whsec_", ImageKit with it, though only its text counts.
const oddSecrets = { imagekit: 'whsec', finch: 'base64', authorize_net: 'hex' };

// keyPair is one key of a sender: what signs, and what the receiver configures.
export function keyPair(name, row, who) {
  if (isPublic(row)) {
    const key = testKeys[`${keyType(row)}_${who.toLowerCase()}`];
    return { key, secret: row.key === 'cert' ? testKeys[`cert_${who.toLowerCase()}`] : writePublicKey(row.key, key) };
  }
  const kind = oddSecrets[name] ?? (row.key ?? 'utf8').split(':')[0];
  const secret = secretTexts[kind](name, who);
  return { secret, key: row.mac === 'token' || row.mac?.startsWith('jwt-') ? secret : keyBytes(row.key, secret) };
}

const splitSource = (source) => (/^(json|form|query):/.test(source) ? [source.slice(0, source.indexOf(':')), source.slice(source.indexOf(':') + 1)] : ['header', source]);
const holds = (pattern, name) => (typeof pattern === 'string' ? [pattern] : pattern.items).some((t) => t.includes(`{${name}}`));
export const isSecretPlace = (pattern) => ['sig', 'jwt', 'token'].some((n) => holds(pattern, n));

// secretPlace is the first source that holds what authenticates the request.
export const secretPlace = (row) => Object.keys(row.read).find((source) => isSecretPlace(row.read[source]));
export const sigItem = (row) => {
  const pattern = row.read[secretPlace(row)];
  return typeof pattern === 'string' ? pattern : pattern.items.find((t) => /\{(sig|jwt|token)\}/.test(t));
};

export const writeForm = (pairs) => Buffer.from(pairs.map(([n, v]) => [n, v].map((s) => encodeURIComponent(s).replaceAll('%20', '+')).join('=')).join('&'));
const multipart = (pairs, boundary) => Buffer.from(pairs.map(([n, v]) => `--${boundary}\r\nContent-Disposition: form-data; name="${n}"\r\n\r\n${v}\r\n`).join('') + `--${boundary}--\r\n`);

function listValue(pattern, vars, sigs) {
  if (typeof pattern === 'string') return fillPattern(pattern, { ...vars, sig: sigs[0] });
  const items = pattern.items.flatMap((item) => (item.includes('{sig}') ? sigs.map((sig) => fillPattern(item, { ...vars, sig })) : [fillPattern(item, vars)]));
  return items.join(pattern.join ?? pattern.sep[0]);
}

// sign makes a request. o: name, row, and any of
//   key, body (bytes) or doc and write, time (ms), id, url, method, alg, enc,
//   sigs (signature text -> texts), value (text of the signature's place -> text, null to leave it out),
//   vars (what to change after signing), leaveOut (a source), dup ([texts]), claims, jwtHeader, jwtAlg, token.
export function sign(o) {
  const { name, row } = o;
  const pair = o.pair ?? keyPair(name, row, 'A');
  const config = o.config ?? samples.configs[name];
  const vars = {
    time: formatTime(row.time, o.time ?? NOW * 1000), id: o.id ?? 'msg_' + seed('msg ' + name), nonce: seed('nonce ' + name, 32), rid: samples.uuid(name),
    user: 'github|' + seed('user', 8), keyid: 'integration_public_key', ...(o.signVars ?? {}),
  };
  const usesForm = row.json_from?.startsWith('form:') || Object.keys(row.read).some((s) => s.startsWith('form:')) || /^form:/.test(row.type ?? '') || /form_sorted/.test(row.sign ?? '');
  const req = { method: o.method ?? 'POST', url: o.url ?? `https://hooks.example.com/in/${name}${samples.queries[name] ?? ''}`, headers: o.headers ?? samples.headers(name, row, usesForm), body: Buffer.alloc(0) };
  const doc = o.doc ?? samples.body(name, row), form = (o.form ?? samples.forms[name] ?? []).map((p) => [...p]);
  const build = () => {
    if (o.body) { req.body = o.body; return; }
    const text = (o.write ?? JSON.stringify)(doc);
    if (o.multipart) { req.headers = req.headers.map(([n, v]) => (n === 'Content-Type' ? [n, 'multipart/form-data; boundary=tenterhook'] : [n, v])); req.body = multipart([[row.json_from.slice(5), text]], 'tenterhook'); } else if (row.json_from) req.body = writeForm([[row.json_from.slice(5), text], ...form]);
    else if (usesForm) req.body = writeForm(form);
    else req.body = Buffer.from(text);
  };
  const place = (source, text) => {
    if (text === null || o.leaveOut === source) return;
    const [kind, at] = splitSource(source.replace(/\?$/, '').replace('#', '1'));
    if (kind === 'header') req.headers.push([at, text]);
    if (kind === 'json') samples.set(doc, at, /^\d{10,}$/.test(text) && row.json_num ? Number(text) : text);
    if (kind === 'form') form.push([at, text]);
    if (kind === 'query') req.url += (req.url.includes('?') ? '&' : '?') + at + '=' + encodeURIComponent(text);
  };
  const others = Object.entries(row.read).filter(([, p]) => !isSecretPlace(p));
  for (const [source, pattern] of others) place(source, listValue(pattern, vars, []));
  build();
  for (const [source, template] of Object.entries(row.bind ?? {})) place(source, render(template, { row, req, vars, config }).toString());

  const text = row.mac === 'token' ? o.token ?? keyBytes(row.key, pair.secret).toString() : row.mac?.startsWith('jwt-') ? signJWT(o, pair, { row, req, vars, config }) : signMAC(o, pair, { row, req, vars, config });
  const value = [].concat(o.sigs ? o.sigs(text, { row, req, vars, config }) : text);
  const source = o.at ?? secretPlace(row), pattern = row.read[source];
  const after = { ...vars, ...(o.vars ?? {}), token: value[0], jwt: value[0] };
  let whole = o.whole ? o.whole(value, after) : listValue(pattern, after, value);
  if (o.value) whole = o.value(whole, text);
  if (o.dup) for (const t of o.dup(whole, text)) place(source, t); else place(source, whole);
  if (o.vars) for (const [s, p] of others) req.headers = req.headers.map(([n, v]) => (n === s.replace(/\?$/, '') ? [n, listValue(p, after, [])] : [n, v]));
  if (!o.body && splitSource(source)[0] !== 'header') build();
  return { req, secret: pair.secret, config };
}

function signMAC(o, pair, ctx) {
  const [alg, enc] = (ctx.row.mac ?? 'hmac-sha256 hex').split(' ');
  const message = render(o.row.sign ?? '{body}', { ...ctx, secret: o.emptyKey ? '' : pair.secret });
  const text = encode(o.enc ?? enc, rawSign(o.alg ?? alg, o.emptyKey ? '' : o.rawKey ?? pair.key, message));
  return o.name === 'authorize_net' && !o.enc ? text.toUpperCase() : text;
}

function signJWT(o, pair, ctx) {
  const { row } = ctx, at = Math.floor((o.time ?? NOW * 1000) / 1000);
  const claims = { iat: at, ...(row.jwt_exp ? { nbf: at, exp: at + row.jwt_exp } : {}), jti: 'jti-' + seed('jti ' + o.name, 8) };
  for (const [key, want] of Object.entries(row.claims ?? {})) {
    if (key.endsWith('?') && ctx.req.body.length === 0) continue;
    claims[key.replace(/\?$/, '')] = typeof want === 'string' ? render(want, ctx).toString() : want;
  }
  const alg = o.jwtAlg ?? row.mac.replace('jwt-', '').split(',')[0].toUpperCase();
  const header = row.key === 'jwk' || row.key === 'pem' ? { kid: 'kid0' } : {};
  return jwt(alg, o.rawKey ?? (o.emptyKey ? '' : pair.key), { ...claims, ...(o.claims ?? {}) }, { ...header, ...(o.jwtHeader ?? {}) });
}
