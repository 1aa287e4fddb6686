// The vectors of one row: what must be accepted, and each way to get it wrong.
import { decode, encode, extract, hmac, NOW } from './engine.mjs';
import { isSymmetric, keyPair, secretPlace, sigItem, sign } from './sign.mjs';
import * as samples from './samples.mjs';

// Providers that are documented to send several signatures in one header.
const rotating = new Set(['stripe', 'paddle', 'pagerduty', 'circleci', 'recurly', 'persona', 'cronofy', 'configcat', 'revolut', 'fingerprint']);

// Rows that differ from Standard Webhooks or Svix in nothing but their name have
// fewer vectors, so that the files stay small.
const copies = new Set(['clerk', 'resend', 'seam', 'stytch', 'brex', 'vanta', 'autumn', 'openai', 'anthropic', 'replicate', 'dodopayments', 'lithic', 'increase', 'whop', 'liveblocks', 'supabase_auth', 'render', 'gemini', 'incident_io', 'etsy', 'loops', 'granola']);
const left = new Set(['valid_escaped', 'bad_wrong_hash', 'bad_wrong_encoding', 'multi_good_then_bad', 'bad_time_garbage', 'bad_time_missing', 'bad_id_missing', 'bad_empty_signature', 'rotation_first_key', 'bad_wrong_prefix', 'bad_no_prefix', 'multi_all_bad']);

// Some ways to be wrong test the verifier more than the row: one row of each family
// has them.
const full = new Set(['svix', 'zendesk', 'onfleet', 'telnyx', 'wise', 'livekit', 'chargebee', 'razorpay', 'deepgram', 'mandrill', 'lark', 'sanity', 'midtrans', 'circle']);
const general = new Set(['bad_garbage_signature', 'bad_wrong_encoding', 'bad_signature_flip', 'bad_prefix_of_signature', 'bad_empty_signature', 'rotation_first_key', 'dup_header_bad_then_good', 'multi_good_then_bad']);

const flip = (text, at = 4) => text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
const flipBit = (bytes) => { const b = Buffer.from(bytes); const at = b.length - 3; b[at] ^= 1; return b; };
const escapeJSON = (text) => text.replaceAll('/', '\\/').replace(/[^\x20-\x7e]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
const pretty = (doc) => {
  const text = JSON.stringify(doc, null, 2).replace(/1099/, '1.0,\n  "big": 12345678901234567890,\n  "e": 1E+2');
  return text.replaceAll('\n', '\r\n') + '\r\n';
};

export function vectorsOf(name, row, { extras = false } = {}) {
  const out = [];
  const A = keyPair(name, row, 'A'), B = keyPair(name, row, 'B');
  const [alg, enc] = (row.mac ?? 'hmac-sha256 hex').split(' ');
  const isJWT = alg.startsWith('jwt-'), isToken = alg === 'token', isMAC = !isJWT && !isToken;
  const place = secretPlace(row), inHeader = !/^(json|form|query):/.test(place);
  const item = sigItem(row), prefix = item.slice(0, item.search(/\{(sig|jwt|token)\}/));
  const readsBody = Object.keys(row.read).some((s) => /^(json|form):/.test(s)) || Boolean(row.json_from);
  const signedText = row.sign ?? (isMAC ? '{body}' : '');
  const bound = signedText.includes('{body') || Object.values(row.claims ?? {}).some((c) => String(c).includes('{body')) || Object.keys(row.bind ?? {}).length > 0 || signedText.includes('form_sorted');
  const rawBody = bound && !readsBody && !signedText.includes('form_sorted');
  const isForm = /^form:/.test(row.type ?? '') && rawBody;
  const formBody = signedText.includes('form_sorted');

  const add = (variant, klass, valid, note, options = {}) => {
    if ((copies.has(name) && left.has(variant)) || (!full.has(name) && general.has(variant))) return undefined;
    const { req, secret, config } = options.request ?? sign({ name, row, ...options });
    if (options.edit) options.edit(req);
    const v = {
      id: `${name}/${variant}`, provider: name, variant, kind: 'request', class: klass, method: req.method, url: req.url,
      path: req.url.replace(/^\w+:\/\/[^/]+/, ''), headers: req.headers, body_base64: req.body.toString('base64'),
      secrets: options.secrets ?? [options.request?.own ? secret : A.secret], ...((options.config ?? config) && { config: options.config ?? config }), now: NOW, valid,
    };
    if (valid) {
      const type = extract(row, req, row.type), id = extract(row, req, row.id);
      if (type !== undefined) v.type = type;
      if (id !== undefined) v.delivery_id = id;
    }
    out.push({ ...v, oracle: null, note });
    return { req, secret };
  };
  const must = (variant, valid, note, options) => add(variant, 'must', valid, note, options);
  const body = (mutate) => (req) => { req.body = mutate(req.body); };

  // ------------------------------------------------------------ good ones
  must('valid', true, 'baseline');
  if (extras) return out;
  add('valid_header_case', 'must', true, 'header names upper/lower-cased; names are case-insensitive', {
    edit: (req) => { req.headers = req.headers.map(([n, v], i) => [i % 2 ? n.toUpperCase() : n.toLowerCase(), v]); },
  });
  if (isForm || formBody || (readsBody && !row.read[place].toString().startsWith('json') && samples.forms[name])) {
    const form = [...(samples.forms[name] ?? []), ['note', 'Zoë 🚀 + 1 & 2'], ['blank', '']];
    must('valid_form_utf8', true, 'UTF-8, + and a blank value in the form', { form });
  } else if (!Object.keys(row.read).some((s) => s.startsWith('form:'))) {
    const named = (text) => { const doc = samples.body(name, row); (Array.isArray(doc) ? doc[0] : doc).text = text; return doc; };
    must('valid_unicode', true, 'non-ASCII UTF-8', { doc: named('Zoë — 日本語 🚀 \u2028 \u00a0') });
    if (bound && !isToken) {
      must('valid_escaped', true, '\\uXXXX and \\/ escapes: re-serialising changes the bytes', { doc: named('Zoë 🚀 https://e.com/a'), write: (d) => escapeJSON(JSON.stringify(d)) });
      must('valid_pretty', true, 'CRLF, indentation, odd numbers, trailing newline: only the raw bytes verify', { write: pretty });
      if (!row.json_from) must('bad_reserialized', false, 'body parsed and re-serialised before verification', { write: pretty, edit: body((b) => Buffer.from(JSON.stringify(JSON.parse(b)))) });
    } else must('valid_pretty', true, 'indentation and a trailing newline', { write: pretty });
  }
  if (rawBody) add('valid_binary', 'edge', true, 'not valid UTF-8: hash bytes, never a decoded string', { body: Buffer.from('7b22626c6f62223a22fffe80001b28227d', 'hex') });
  if (rawBody || ((isToken || isJWT) && !readsBody)) add('valid_empty', 'edge', true, 'zero-length body', { body: Buffer.alloc(0) });
  if (row.json_from?.startsWith('form:') && name === 'dropbox_sign') must('valid_multipart', true, 'the form is multipart/form-data', { multipart: true });

  // ------------------------------------------------------------ the body
  if (bound) {
    must('bad_body_bitflip', false, 'one bit of the body changed after signing', { edit: body(flipBit) });
    if (!row.json_from) must('bad_body_newline', false, 'newline appended', { edit: body((b) => Buffer.concat([b, Buffer.from('\n')])) });
  } else if (/\{json:|\{form:|form_sorted/.test(signedText) || readsBody) {
    if (!isToken) {
      if (name === 'braintree') must('bad_body_bitflip', false, 'the payload changed after signing', { edit: body((b) => Buffer.from(b.toString().replace(/bt_payload=PG/, 'bt_payload=PH'))) });
      else if (name !== 'dropbox_sign') add('unbound_body_changed', 'edge', true, 'the body is not signed: accept it, but do not trust it', readsBody && samples.forms[name] ? { form: [...samples.forms[name], ['added', 'later']] } : { doc: Object.assign(samples.body(name, row), { added: 'later' }) });
    }
  }
  if (isToken || (!bound && !readsBody)) {
    if (!readsBody) add('unbound_body_changed', 'edge', true, 'the body is not signed: accept it, but do not trust it', { edit: body((b) => Buffer.concat([b, Buffer.from(' ')])) });
  }

  // ------------------------------------------------------------ keys
  must('bad_wrong_secret', false, 'signed with another key', { pair: { ...B } });
  must('rotation_first_key', true, 'two keys configured, signed with the first', { secrets: [A.secret, B.secret] });
  must('rotation_old_key_still_configured', true, 'two keys configured, signed with the second', { pair: B, secrets: [A.secret, B.secret] });
  if (isMAC && isSymmetric(row)) {
    add('bad_empty_secret_configured', 'policy', false, 'forged with an empty key, an empty secret configured: must fail closed', { emptyKey: true, secrets: [''] });
    const odd = /^(hex|base64|whsec|sha1|nfkd|strip)/.exec(row.key ?? '')?.[1];
    if (odd) must('bad_key_not_derived', false, `keyed with the text of the secret instead of its ${odd} meaning`, { rawKey: Buffer.from(A.secret) });
    if (name === 'imagekit') must('bad_key_decoded', false, 'keyed with the decoded secret: this provider uses its text', { rawKey: Buffer.from(A.secret.slice(6), 'base64') });
  }
  if (isJWT && isSymmetricJWT(row)) add('bad_empty_secret_configured', 'policy', false, 'forged with an empty key, an empty secret configured: must fail closed', { emptyKey: true, secrets: [''] });

  // ------------------------------------------------------------ the signature
  const absent = inHeader ? 'signature header absent' : 'signature absent';
  must('bad_missing_signature', false, absent, { value: () => null });
  must('bad_empty_signature', false, 'signature empty', { value: () => '' });
  if (!isToken) must('bad_garbage_signature', false, 'signature is not parseable', { value: () => 'garbage' });
  if (inHeader) {
    add('dup_header_bad_then_good', 'policy', false, 'two signature headers, first wrong: ambiguous, reject', { dup: (w) => [flip(w, w.length - 6), w] });
    add('dup_header_good_then_bad', 'policy', false, 'two signature headers, second wrong: ambiguous, reject', { dup: (w) => [w, flip(w, w.length - 6)] });
  }
  if (isMAC) {
    must('bad_truncated_signature', false, 'last byte(s) of the signature removed', { sigs: (s) => s.slice(0, enc === 'hex' ? -2 : -4) });
    must('bad_prefix_of_signature', false, 'only the first characters of the right signature', { sigs: (s) => s.slice(0, 4) });
    must('bad_signature_flip', false, 'one signature character changed', { sigs: (s) => flip(s) });
    const otherEnc = enc === 'hex' ? 'base64' : 'hex';
    must('bad_wrong_encoding', false, `right signature, encoded as ${otherEnc}`, { enc: otherEnc });
    const other = { 'hmac-sha1': 'hmac-sha256', 'hmac-sha256': 'hmac-sha1', 'hmac-sha512': 'hmac-sha256', 'hash-sha1': 'hash-sha256', 'hash-sha256': 'hash-sha1', 'hash-sha512': 'hash-sha256', 'rsa-sha256': 'rsa-sha1', 'rsa-sha512': 'rsa-sha256', 'ecdsa-sha256': 'ecdsa-sha1' }[alg];
    if (other) must('bad_wrong_hash', false, `signed with ${other}`, { alg: other });
    if (!isSymmetric(row)) must('bad_alg_confusion', false, 'HMAC-SHA256 keyed with the text of the public key', { alg: 'hmac-sha256', rawKey: Buffer.from(A.secret) });
    if (enc === 'hex' && name !== 'authorize_net') add('edge_hex_uppercase', 'policy', true, 'hex is case-insensitive; several SDKs compare strings', { sigs: (s) => s.toUpperCase() });
    if (name === 'authorize_net') add('edge_hex_lowercase', 'policy', true, 'hex is case-insensitive; this provider writes upper case', { sigs: (s) => s.toLowerCase() });
    if (enc === 'base64' && alg !== 'ed25519' && !alg.startsWith('ecdsa')) add('edge_base64_no_padding', 'policy', false, 'base64 padding stripped: strict decode rejects', { sigs: (s) => (s.endsWith('=') ? s.replace(/=+$/, '') : s.slice(0, -1) + '!') });
    if (enc === 'base64url') add('edge_base64url_padded', 'edge', true, 'base64url is met with padding and without; both decode to the same bytes', { sigs: (s) => s + '='.repeat((4 - (s.length % 4)) % 4) });
    if (prefix && !/^\{/.test(prefix) && !prefix.includes('{')) {
      const wrong = { 'sha256=': 'sha1=', 'sha1=': 'sha256=', 'sha512=': 'sha256=', 'hmac-sha256=': 'hmac-sha1=', 'HMAC ': 'Bearer ' }[prefix] ?? prefix.replace(/\w+/, 'x9');
      must('bad_wrong_prefix', false, `"${prefix}" replaced by "${wrong}"`, { value: (w) => w.replace(prefix, wrong) });
      add('bad_no_prefix', 'policy', false, `"${prefix}" removed`, { value: (w) => w.replace(prefix, '') });
    }
    lists(name, row, { must, add, B, alg, enc });
    times(row, { must, add, inHeader });
    ids(row, { must });
  } else if (isJWT) jwts(name, row, { must, add, A, prefix });
  else tokens(name, row, { must, add, A, prefix });

  // ------------------------------------------------------------ the request around it
  const url = out[0].url;
  if (/\{url\}/.test(signedText + JSON.stringify(row.claims ?? {})) || /\{url\|/.test(JSON.stringify(row.claims ?? {}))) {
    must('bad_url_path', false, 'same request delivered to another path', { edit: (req) => { req.url = req.url.replace('/in/', '/other/'); } });
    must('bad_url_query', false, 'query string appended', { edit: (req) => { req.url += (req.url.includes('?') ? '&' : '?') + 'x=1'; } });
    add('valid_behind_proxy', 'edge', true, 'seen URL differs (TLS-terminating proxy); config.url is the public URL that was signed', { config: { ...(samples.configs[name] ?? {}), url }, edit: (req) => { req.url = req.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080'); } });
  }
  if (signedText.includes('{method}')) must('bad_method', false, 'HTTP method changed', { edit: (req) => { req.method = 'PUT'; } });
  special(name, row, { must, add, A, B });
  return out;
}

const isSymmetricJWT = (row) => row.mac.includes('hs256');

function lists(name, row, { must, add, B, alg, enc }) {
  const place = secretPlace(row), pattern = row.read[place];
  if (typeof pattern === 'string') {
    const second = Object.keys(row.read).find((s) => s !== place && s.endsWith('?') && row.read[s].includes?.('{sig}'));
    if (second) must('valid_second_header', true, 'the first header holds the signature of another key, the second ours', { at: second, edit: (req) => req.headers.push([place.replace(/\?$/, ''), sign({ name, row, pair: B }).req.headers.at(-1)[1]]) });
    return;
  }
  const klass = rotating.has(name) || pattern.sep === ' ' ? 'must' : 'edge';
  const wrong = (text) => encode(enc, hmac('sha256', 'wrong', text)), bad = (s) => (alg === 'hmac-sha512' ? s.split('').reverse().join('') : wrong(s));
  if (name === 'persona') {
    const group = (sig, vars) => `t=${vars.time},v1=${sig}`;
    for (const [variant, order, ok] of [['multi_bad_then_good', (s) => [bad(s), s], true], ['multi_good_then_bad', (s) => [s, bad(s)], true], ['multi_all_bad', (s) => [bad(s), bad(s)], false]]) {
      add(variant, 'edge', ok, 'rotation: one group per key, with the same time, separated by a space', { sigs: order, whole: (sigs, vars) => sigs.map((s) => group(s, vars)).join(' ') });
    }
    return;
  }
  if (name === 'braintree') {
    const pairs = (first, second) => ({ whole: ([sig], vars) => `other_public_key|${first(sig)}&${vars.keyid}|${second(sig)}` });
    must('multi_other_key_first', true, 'a pair of another API key before ours', pairs(bad, (s) => s));
    must('multi_all_bad', false, 'no signature matches', pairs(bad, bad));
    return;
  }
  if (name === 'inngest' || name === 'infisical') return;
  add('multi_bad_then_good', klass, true, 'several signatures in one header (rotation): any match', { sigs: (s) => [bad(s), s] });
  if (klass === 'must') add('multi_good_then_bad', klass, true, 'several signatures in one header (rotation): any match', { sigs: (s) => [s, bad(s)] });
  add('multi_all_bad', 'must', false, 'no signature matches', { sigs: (s) => [bad(s), bad(s)] });
  const item = sigItem(row), tag = item.split('{sig}')[0];
  if (!tag || tag.includes('{') || pattern.positional) return;
  const unknown = tag.replace(/\w+/, (t) => (t === 's0' ? 's1' : t === 'v1' ? 'v2' : 'v8')), join = pattern.join ?? pattern.sep[0];
  add('multi_unknown_versions', klass, true, 'unknown versions are skipped, not fatal', { value: (w, sig) => w.replace(tag + sig, unknown + bad(sig) + join + tag + sig) });
  must('bad_only_unknown_version', false, 'right signature under an unknown version tag', { value: (w, sig) => w.replace(tag + sig, unknown + sig) });
}

function times(row, { must, add }) {
  const source = Object.keys(row.read).find((s) => JSON.stringify(row.read[s]).includes('{time}'));
  if (!source) return;
  const signed = JSON.stringify(row.sign ?? '').includes('{time}') || source.startsWith('json:');
  const at = (seconds) => ({ time: (NOW + seconds) * 1000 });
  if (row.tolerance) {
    add('edge_time_just_inside', 'edge', true, `signed ${row.tolerance - 1} s ago; tolerance ${row.tolerance} s`, at(1 - row.tolerance));
    add('bad_time_stale', 'policy-time', false, `correctly signed ${row.tolerance + 60} s ago; tolerance ${row.tolerance} s`, at(-row.tolerance - 60));
    add('bad_time_future', 'policy-time', false, `correctly signed ${row.tolerance + 60} s in the future`, at(row.tolerance + 60));
  } else add('edge_time_old_no_window', 'policy-time', true, 'one day old; provider documents no window', at(-86400));
  if (/^(json|form):/.test(source)) return;
  const pattern = row.read[source];
  const now = { vars: { time: formatted(row, NOW * 1000) }, ...at(-4) };
  if (signed) must('bad_time_swapped', false, 'timestamp replaced by another after signing', now);
  else add('unbound_time_changed', 'edge', true, 'the timestamp is not signed: do not rely on it', now);
  if (typeof pattern === 'string') {
    must('bad_time_missing', false, 'timestamp header absent', { leaveOut: source });
    add('bad_time_garbage', row.tolerance ? 'must' : 'policy', false, 'timestamp not parseable, though signed', { signVars: { time: 'yesterday' } });
  } else if (!pattern.positional) {
    const item = pattern.items.find((t) => t.includes('{time}'));
    must('bad_time_missing', false, 'timestamp element absent from the signature header', { value: (w) => w.split(pattern.sep[0]).filter((p) => !p.trim().startsWith(item.split('{')[0])).join(pattern.sep[0]) });
  }
}
const formatted = (row, ms) => (row.time === 'ms' ? String(ms) : row.time === 'rfc3339' ? new Date(ms).toISOString() : row.time === 'httpdate' ? new Date(ms).toUTCString() : String(ms / 1000));

function ids(row, { must }) {
  for (const which of ['id', 'nonce', 'user']) {
    const source = Object.keys(row.read).find((s) => row.read[s] === `{${which}}`);
    if (!source || /^(json|form):/.test(source)) continue;
    must(`bad_${which}_swapped`, false, `${source} changed after signing`, { vars: { [which]: 'another' } });
    must(`bad_${which}_missing`, false, `${source} absent`, { leaveOut: source });
  }
}

function jwts(name, row, { must, add, A, prefix }) {
  const symmetric = isSymmetricJWT(row);
  must('bad_truncated_signature', false, 'last characters of the token removed', { sigs: (s) => s.slice(0, -4) });
  must('bad_signature_flip', false, 'one character of the signature changed', { sigs: (s) => flip(s, s.lastIndexOf('.') + 5) });
  must('bad_jwt_alg_none', false, 'alg:none', { jwtAlg: 'none' });
  must('bad_jwt_no_signature', false, 'right header and claims, no signature', { sigs: (s) => s.slice(0, s.lastIndexOf('.') + 1) });
  if (symmetric) {
    if (!row.mac.includes('hs512')) add('bad_jwt_alg_not_listed', 'policy', false, 'right key, but HS512, which this provider does not use', { jwtAlg: 'HS512' });
  } else must('bad_jwt_alg_confusion', false, 'HS256 keyed with the public key', { jwtAlg: 'HS256', rawKey: A.secret });
  for (const alg of row.mac.replace('jwt-', '').toUpperCase().split(',').filter((a) => a.startsWith('HS')).slice(1)) must(`valid_${alg.toLowerCase()}`, true, `${alg} is allowed too`, { jwtAlg: alg });
  if (row.jwt_exp) {
    must('bad_jwt_expired', false, 'exp passed', { time: (NOW - row.jwt_exp - 600) * 1000 });
    must('bad_jwt_not_before', false, 'nbf is an hour away', { claims: { nbf: NOW + 3600 } });
  }
  if (row.claims?.iss) must('bad_jwt_issuer', false, 'wrong iss', { claims: { iss: 'evil' } });
  for (const [key, want] of Object.entries(row.claims ?? {})) {
    if (!String(want).includes('{')) continue;
    must(`bad_jwt_no_${key.replace('?', '')}`, false, `claim ${key.replace('?', '')} is missing`, { claims: { [key.replace('?', '')]: undefined } });
    if (String(want).endsWith('|hex}') && want.includes('body')) add('edge_jwt_hash_uppercase', 'policy', false, 'the hash in the claim is compared as text', { claims: { [key.replace('?', '')]: undefined }, ...upperHash(name, row, key) });
  }
  prefixes({ must, add, prefix });
}
function upperHash(name, row, key) {
  const good = sign({ name, row }).req;
  const token = good.headers.at(-1)[1].split(' ').at(-1);
  const claims = JSON.parse(decode('base64url', token.split('.')[1]));
  return { claims: { [key.replace('?', '')]: claims[key.replace('?', '')].toUpperCase() } };
}

function tokens(name, row, { must, add, A, prefix }) {
  const token = row.key === 'basic' ? Buffer.from(A.secret).toString('base64') : A.secret;
  must('bad_token_prefix', false, 'token without its last character', { token: row.key === 'basic' ? Buffer.from(A.secret.slice(0, -1)).toString('base64') : token.slice(0, -1) });
  must('bad_token_suffix', false, 'token plus one character', { token: row.key === 'basic' ? Buffer.from(A.secret + 'x').toString('base64') : token + 'x' });
  must('bad_token_case', false, 'token case changed', { token: row.key === 'basic' ? Buffer.from(A.secret.toUpperCase()).toString('base64') : token.toUpperCase() });
  if (row.key === 'basic') must('bad_not_encoded', false, 'user and password not base64-encoded', { token: A.secret });
  add('bad_empty_token_empty_secret', 'policy', false, 'empty token against an empty configured secret must fail closed', { token: '', secrets: [''] });
  prefixes({ must, add, prefix });
}
function prefixes({ must, add, prefix }) {
  if (!prefix) return;
  const wrong = prefix === 'Bearer ' ? 'Basic ' : 'Bearer ';
  must('bad_wrong_prefix', false, `"${prefix}" replaced by "${wrong}"`, { value: (w) => w.replace(prefix, wrong) });
  add('bad_no_prefix', 'policy', false, `"${prefix}" removed`, { value: (w) => w.replace(prefix, '') });
  add('edge_auth_scheme_case', 'edge', true, 'the word of an authorization scheme is case-insensitive', { value: (w) => w.replace(prefix, prefix.toLowerCase()) });
}

// special is what only one provider has.
function special(name, row, { must, add, A, B }) {
  switch (name) {
    case 'microsoft_graph': {
      const two = (second) => { const doc = samples.body(name, row); doc.value.push({ ...doc.value[0], id: 'evt_2', clientState: second }); return doc; };
      must('valid_two_items', true, 'two notifications, both with our clientState', { doc: two(A.secret) });
      add('bad_second_item_client_state', 'policy', false, 'clientState of the second notification is wrong: every one must be checked', { doc: two('other') });
      add('bad_second_item_no_client_state', 'policy', false, 'clientState of the second notification is missing', { doc: two(undefined) });
      break;
    }
    case 'authorize_net':
      must('gold_published', true, 'a notification that a customer published in 2017 (developer community, message 57201): the text of the key', { request: authorizeNet() });
      add('edge_key_hex', 'edge', true, 'keyed with what the secret means in hex, as other signatures of this provider are', { rawKey: Buffer.from(A.secret, 'hex') });
      break;
    case 'ms_teams': add('edge_auth_scheme_case', 'edge', true, 'the word of an authorization scheme is case-insensitive', { value: (w) => w.replace('HMAC', 'hmac') }); break;
    case 'mercadopago':
      must('bad_query_id', false, 'data.id of the query changed after signing', { edit: (req) => { req.url = req.url.replace('ABC123', 'ABC124'); } });
      must('valid_query_case', true, 'data.id is signed in lower case', { edit: (req) => { req.url = req.url.replace('ABC123', 'abc123'); } });
      must('bad_request_id', false, 'x-request-id changed after signing', { vars: { rid: 'another' } });
      break;
    case 'easypost': must('valid_secret_nfkd', true, 'the receiver has the secret in NFC, the sender in NFKD: they are the same', { pair: { ...A, key: Buffer.from(A.secret.normalize('NFKD')) }, secrets: [A.secret.normalize('NFC')] }); break;
    case 'mandrill': must('valid_form_multi', true, 'more than one field: sorted by name', { form: [['zz', '1'], ['aa', '2']] }); break;
    case 'twilio_json': must('bad_no_body_hash', false, 'the URL is signed but has no bodySHA256', { request: noBodyHash(row) }); break;
    case 'fusionauth':
      must('valid_rs256', true, 'RS256 with a public key', { jwtAlg: 'RS256', ...keyed('rsa') });
      must('valid_es256', true, 'ES256 with a public key', { jwtAlg: 'ES256', ...keyed('p256') });
      must('bad_jwt_alg_confusion', false, 'HS256 keyed with the text of the public key', { jwtAlg: 'HS256', rawKey: keyed('rsa').secrets[0], secrets: keyed('rsa').secrets });
      break;
  }
}
function authorizeNet() {
  const secret = '2679A5D5785C9B26CF921E1754765CDDB265C9C88400786923E5343B315954FAFB4B7BF608818F6A21766741E8637DC206F286C725908C777ED4127D8562163D';
  const text = '{"notificationId":"f813b98f-3552-4eeb-ba40-acb4704eeba3","eventType":"net.authorize.payment.authcapture.created","eventDate":"2017-03-08T17:35:37.155999Z","webhookId":"63d6fea2-aa13-4b1d-a204-f5fbc15942b7","payload":{"responseCode":1,"authCode":"8VTPDC","avsResponse":"Y","authAmount":10.00,"entityName":"transaction","id":"60019392075"}}';
  const signature = '9607C69D2734514554CE13D923D19939563F2FD6567D239F49F0DF0D08865632A0FB98061B4620CC52C47BB8BF6E2B69A15A67E4C98E81D7D65111076C515C6A';
  const req = { method: 'POST', url: 'https://hooks.example.com/in/authorize_net', headers: [['Content-Type', 'application/json; charset=utf-8'], ['X-ANET-Signature', 'sha512=' + signature]], body: Buffer.from(text) };
  return { req, secret, own: true };
}
function noBodyHash(row) {
  const { bind, ...rest } = row;
  return sign({ name: 'twilio_json', row: rest });
}
function keyed(type) {
  const pair = keyPair('', { mac: type === 'rsa' ? 'jwt-rs256' : 'jwt-es256', key: 'pem' }, 'A');
  return { pair, secrets: [pair.secret] };
}
