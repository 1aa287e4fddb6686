// Schemes in code with a public key: the bytes each signs, a verifier, vectors.
import crypto from 'node:crypto';
import { b64json, decode, formPairs, hmac, jwsSign, jwsVerify, jwt, NOW, reject, sha, testKeys, writePublicKey } from './engine.mjs';
import { ecdsaDer, ecdsaRaw } from './ecdsa.mjs';
import { base, one, parse, same, any, signedURL, target, byBytes, asKey, flip, maker, body, header, common, readJWT } from './maker.mjs';
import { writeForm } from './sign.mjs';

// ---------------------------------------------------------------- alipay

const alipayMessage = (pairs, drop = ['sign', 'sign_type']) => pairs.filter(([n]) => !drop.includes(n)).sort((a, b) => byBytes(a[0], b[0])).map(([n, v]) => n + '=' + v).join('&');
function alipay() {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('pem', testKeys['rsa_' + w]), key: testKeys['rsa_' + w] }));
  const form = [['notify_time', '2026-05-29 04:26:40'], ['notify_type', 'trade_status_sync'], ['notify_id', '4a91b7a78a503640467525113fb7d8bg8e'], ['charset', 'UTF-8'], ['version', '1.0'], ['app_id', '2021000000000001'], ['out_trade_no', '6823789339978248'], ['trade_status', 'TRADE_SUCCESS'], ['total_amount', '20.00'], ['subject', '当面付 & more = 100%']];
  const make = ({ key = A.key, pairs = form, hash = 'sha256', type = 'RSA2', drop, after = (p) => p }) => {
    const all = [...pairs, ['sign_type', type]];
    const sign = crypto.sign(hash, Buffer.from(alipayMessage(all, drop)), key).toString('base64');
    return { headers: [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']], body: writeForm(after([...all, ['sign', sign]])) };
  };
  const m = maker('alipay', make, A.secret), { must, add } = m;
  const set = (name, value) => ({ after: (pairs) => pairs.flatMap(([n, v]) => (n === name ? (value === null ? [] : [[n, value instanceof Function ? value(v) : value]]) : [[n, v]])) });
  const type = { expect: { type: 'trade_status_sync', delivery_id: '4a91b7a78a503640467525113fb7d8bg8e' } };
  must('valid', true, 'baseline', {}, type);
  must('valid_order', true, 'the order of the fields does not matter', { after: (p) => [...p].reverse() }, type);
  add('valid_key_base64', 'edge', true, 'the public key as Alipay shows it: base64 without PEM lines', {}, { secrets: [writePublicKey('spki-base64', A.key)] });
  add('valid_sign_type_signed', 'edge', true, 'some notifications are signed with sign_type among the fields', { drop: ['sign'] });
  add('valid_empty_value', 'edge', true, 'a field with an empty value is signed like the others', { pairs: [...form, ['passback_params', '']] });
  add('edge_rsa_sha1', 'policy', true, 'sign_type RSA: SHA-1', { hash: 'sha1', type: 'RSA' });
  must('bad_version_downgrade', false, 'a SHA-256 signature labelled RSA', set('sign_type', 'RSA'));
  must('bad_sign_type_unknown', false, 'sign_type that does not exist', { type: 'RSA9' });
  must('bad_amount', false, 'a field changed after signing', set('total_amount', '2000.00'));
  must('bad_field_added', false, 'a field added after signing', { after: (p) => [...p, ['extra', '1']] });
  must('bad_field_removed', false, 'a field removed after signing', set('trade_status', null));
  add('bad_field_twice', 'policy', false, 'a field is there twice: ambiguous, reject', { after: (p) => [['total_amount', '1'], ...p] });
  must('bad_missing_signature', false, 'no sign', set('sign', null));
  must('bad_empty_signature', false, 'sign is empty', set('sign', ''));
  must('bad_garbage_signature', false, 'sign is not parseable', set('sign', 'garbage'));
  must('bad_signature_flip', false, 'one signature character changed', set('sign', (v) => flip(v)));
  must('bad_alg_confusion', false, 'HMAC-SHA256 keyed with the text of the public key', { after: (p) => p.map(([n, v]) => (n === 'sign' ? [n, hmac('sha256', A.secret, alipayMessage(p)).toString('base64')] : [n, v])) });
  common(m, undefined, A, B);
  return m.out;
}
function verifyAlipay(req, { secrets }) {
  const pairs = formPairs(req), get = (n) => pairs.filter(([k]) => k === n).map(([, v]) => v);
  if (new Set(pairs.map(([n]) => n)).size !== pairs.length) reject('a field is there twice');
  const hash = { RSA2: 'sha256', RSA: 'sha1' }[get('sign_type')[0] ?? 'RSA2'] ?? reject('sign_type');
  const sig = decode('base64', get('sign')[0] ?? reject('no sign'));
  any(secrets, (s) => [['sign', 'sign_type'], ['sign']].some((drop) => crypto.verify(hash, Buffer.from(alipayMessage(pairs, drop)), asKey(s), sig)));
}

// ---------------------------------------------------------------- detached JWS

const jwkOf = (pem, kid, alg) => ({ ...crypto.createPublicKey(pem).export({ format: 'jwk' }), kid, alg, use: 'sig' });
const detached = (alg, key, head, payload, raw = false) => { const h = b64json(head); return h + '..' + jwsSign(alg, key, Buffer.concat([Buffer.from(h + '.'), raw ? payload : Buffer.from(payload.toString('base64url'))])).toString('base64url'); };
function readDetached(text) {
  const [h, middle, s, ...rest] = text.split('.');
  if (middle !== '' || s === undefined || rest.length) reject('not a detached JWS');
  return { h, header: parse(decode('base64url', h)), sig: decode('base64url', s) };
}
// keysFor are the configured keys, or those of the set that the pinned URL holds.
function keysFor({ secrets, config }, url, header) {
  const usable = secrets.filter((s) => s !== '');
  if (usable.length) return usable.map(asKey);
  const set = config?.jwks?.[url] ?? reject('no keys at ' + url);
  return set.keys.filter((k) => header.kid === undefined || k.kid === header.kid).map((k) => crypto.createPublicKey({ key: k, format: 'jwk' }));
}
const checkJWS = (alg, keys, jws, payload, raw = false) => {
  const input = Buffer.concat([Buffer.from(jws.h + '.'), raw ? payload : Buffer.from(payload.toString('base64url'))]);
  if (jws.header.alg !== alg) reject('algorithm ' + jws.header.alg);
  if (!keys.some((k) => jwsVerify(alg, k, input, jws.sig))) reject('no key matches');
};
// confusion signs with the text of the public key, as if it were a shared secret.
const confusion = (hs, secret) => ({ alg: hs, key: secret });

const tlURL = 'https://webhooks.truelayer.com/.well-known/jwks';
function tlPayload(req, config, names, path = target(signedURL(req, config)).split('?')[0]) {
  return Buffer.concat([Buffer.from(`${req.method} ${path}\n` + names.map((n) => `${n}: ${one(req, n)}\n`).join('')), req.body]);
}
function truelayer() {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('pem', testKeys['p521_' + w]), key: testKeys['p521_' + w] }));
  const make = ({ key = A.key, alg = 'ES512', head = {}, names = ['X-TL-Webhook-Timestamp'], url = base('truelayer'), text = '{"type":"payment_executed","event_id":"b3bd0dc1-5f0d-4f0a-9e5f-5f5d5d5d5d5d","payment_id":"p1","name":"Zoë"}' }) => {
    const req = { method: 'POST', url, headers: [['Content-Type', 'application/json'], ['X-TL-Webhook-Timestamp', '2026-05-28T20:26:40Z']], body: Buffer.from(text) };
    const h = { alg, kid: 'kid-a', tl_version: '2', tl_headers: names.join(','), jku: tlURL, ...head };
    req.headers.push(['Tl-Signature', detached(alg, key, h, tlPayload(req, undefined, names))]);
    return req;
  };
  const m = maker('truelayer', make, A.secret), { must, add } = m;
  const type = { expect: { type: 'payment_executed', delivery_id: 'b3bd0dc1-5f0d-4f0a-9e5f-5f5d5d5d5d5d' } };
  const jwks = (url = tlURL) => ({ jwks: { [url]: { keys: [jwkOf(B.key, 'kid-b', 'ES512'), jwkOf(A.key, 'kid-a', 'ES512')] } } });
  must('valid', true, 'baseline', {}, type);
  must('valid_empty', true, 'no body', { text: '' });
  must('valid_header_names_as_listed', true, 'header names are signed as tl_headers spells them', { names: ['x-tl-webhook-TIMESTAMP'] });
  add('valid_no_headers', 'edge', true, 'no header is signed', { names: [] });
  add('valid_jwk', 'edge', true, 'the public key as a JWK', {}, { secrets: [JSON.stringify(jwkOf(A.key, 'kid-a', 'ES512'))] });
  add('valid_jwks', 'edge', true, 'the key is fetched from the pinned jku', {}, { secrets: [], config: jwks() });
  must('bad_jku_host', false, 'jku on a host of somebody else', { head: { jku: 'https://webhooks.truelayer.com.evil.example/.well-known/jwks' } }, { secrets: [], config: jwks('https://webhooks.truelayer.com.evil.example/.well-known/jwks') });
  must('bad_jku_http', false, 'jku over http', { head: { jku: tlURL.replace('https', 'http') } }, { secrets: [], config: jwks(tlURL.replace('https', 'http')) });
  must('bad_jku_missing', false, 'no jku, no configured key', { head: { jku: undefined } }, { secrets: [], config: jwks() });
  must('bad_kid_unknown', false, 'kid is not in the set', { head: { kid: 'kid-x' } }, { secrets: [], config: jwks() });
  add('valid_trailing_slash', 'edge', true, 'signed without the slash at the end of the path: the SDK tries both', {}, { edit: (r) => { r.url += '/'; } });
  add('valid_behind_proxy', 'edge', true, 'seen URL differs; config.url is the public URL', {}, { edit: (r) => { r.url = r.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080/inner'); }, config: { url: base('truelayer') } });
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('p1', 'p2')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_listed_header_changed', false, 'the signed timestamp changed', {}, header('x-tl-webhook-timestamp', () => '2026-05-28T20:26:41Z'));
  must('bad_listed_header_removed', false, 'the signed timestamp removed', {}, header('x-tl-webhook-timestamp', () => undefined));
  must('bad_url_path', false, 'same request delivered to another path', {}, { edit: (r) => { r.url = r.url.replace('/in/', '/other/'); } });
  must('bad_method', false, 'HTTP method changed', {}, { edit: (r) => { r.method = 'PUT'; } });
  must('bad_jws_alg_none', false, 'alg:none', {}, header('tl-signature', () => b64json({ alg: 'none', kid: 'kid-a', tl_version: '2', tl_headers: '' }) + '..'));
  must('bad_alg_confusion', false, 'HS512 keyed with the text of the public key', confusion('HS512', A.secret));
  must('bad_tl_version', false, 'tl_version 1', { head: { tl_version: '1' } });
  add('bad_not_detached', 'policy', false, 'a payload in the token', {}, header('tl-signature', (v) => v.replace('..', '.e30.')));
  must('bad_signature_flip', false, 'one signature character changed', {}, header('tl-signature', (v) => flip(v, v.lastIndexOf('.') + 5)));
  common(m, 'tl-signature', A, B);
  return m.out;
}
function verifyTruelayer(req, options) {
  const jws = readDetached(one(req, 'tl-signature'));
  if (jws.header.tl_version !== '2') reject('tl_version');
  if (!options.secrets.length && !/^https:\/\/webhooks\.truelayer(-sandbox)?\.com\/\.well-known\/jwks$/.test(jws.header.jku)) reject('jku');
  const keys = keysFor(options, jws.header.jku, jws.header), names = (jws.header.tl_headers ?? '').split(',').filter(Boolean);
  const path = target(signedURL(req, options.config)).split('?')[0], other = path.endsWith('/') ? path.slice(0, -1) : path + '/';
  try { checkJWS('ES512', keys, jws, tlPayload(req, options.config, names, path)); } catch { checkJWS('ES512', keys, jws, tlPayload(req, options.config, names, other)); }
}

// fireblocks_v2 and constant_contact: a detached JWS over the body alone.
function jwsBody(name, sigHeader, alg, jwksURL, text, expect, extra, raw) {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('pem', testKeys['rsa_' + w]), key: testKeys['rsa_' + w] }));
  const make = ({ key = A.key, head = {}, useAlg = alg, content = text, rawBody = raw }) => ({
    headers: [['Content-Type', 'application/json'], [sigHeader, detached(useAlg, key, { alg: useAlg, ...extra, ...head }, Buffer.from(content), rawBody)]], body: Buffer.from(content),
  });
  const m = maker(name, make, A.secret), { must, add } = m;
  const kid = extra.kid ?? 'kid-a', jwks = (url = jwksURL) => ({ jwks: { [url]: { keys: [{ ...jwkOf(B.key, 'kid-b', alg), ...(extra.kid ? {} : { kid: undefined }) }, { ...jwkOf(A.key, kid, alg), ...(extra.kid ? {} : { kid: undefined }) }] } } });
  must('valid', true, 'baseline', {}, { expect });
  must('valid_header_case', true, 'header names upper-cased', {}, { edit: (r) => { r.headers = r.headers.map(([n, v]) => [n.toUpperCase(), v]); }, expect });
  must('valid_pretty', true, 'the bytes are signed as sent', { content: JSON.stringify(JSON.parse(text), null, 2) + '\r\n' });
  add('valid_binary', 'edge', true, 'not valid UTF-8', { content: Buffer.from('7b22fffe22', 'hex') });
  add('valid_jwk', 'edge', true, 'the public key as a JWK', {}, { secrets: [JSON.stringify(jwkOf(A.key, kid, alg))] });
  add('valid_jwks', 'edge', true, 'the key is fetched from the pinned URL', {}, { secrets: [], config: jwks() });
  add('bad_jwks_elsewhere', 'must', false, 'jku of the token must not be followed', { head: { jku: 'https://evil.example/jwks.json' } }, { secrets: [], config: jwks('https://evil.example/jwks.json') });
  if (extra.kid) must('bad_kid_unknown', false, 'kid is not in the set', { head: { kid: 'kid-x' } }, { secrets: [], config: jwks() });
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('id', 'ie')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_reserialized', false, 'body parsed and re-serialised before verification', { content: text.replace(',', ', ') }, body((b) => JSON.stringify(JSON.parse(b))));
  must('bad_jws_alg_none', false, 'alg:none', {}, header(sigHeader, () => b64json({ ...extra, alg: 'none' }) + '..'));
  must('bad_alg_confusion', false, 'HMAC keyed with the text of the public key', { useAlg: alg.replace('RS', 'HS'), key: A.secret });
  must('bad_wrong_hash', false, 'another RSA algorithm of JOSE', { useAlg: alg === 'RS512' ? 'RS256' : 'RS512' });
  add('bad_not_detached', 'policy', false, 'a payload in the token', {}, header(sigHeader, (v) => v.replace('..', '.e30.')));
  must('bad_signature_flip', false, 'one signature character changed', {}, header(sigHeader, (v) => flip(v, v.lastIndexOf('.') + 5)));
  common(m, sigHeader, A, B);
  return m;
}
const fireblocksURL = 'https://keys.fireblocks.io/.well-known/jwks.json';
const fireblocks = () => jwsBody('fireblocks_v2', 'Fireblocks-Webhook-Signature', 'RS512', fireblocksURL, '{"id":"70b1e5d5-7a5c-4a52-9b1c-7b1b1b1b1b1b","eventType":"transaction.created","eventVersion":1,"data":{"note":"Zoë"}}', { type: 'transaction.created', delivery_id: '70b1e5d5-7a5c-4a52-9b1c-7b1b1b1b1b1b' }, { kid: 'kid-a' }, false).out;
function verifyFireblocks(req, options) {
  const jws = readDetached(one(req, 'fireblocks-webhook-signature'));
  checkJWS('RS512', keysFor(options, fireblocksURL, jws.header), jws, req.body);
}
const ctctURL = 'https://developer.constantcontact.com/.well-known/jwks.json';
function constantContact() {
  const m = jwsBody('constant_contact', 'x-ctct-webhook-sig', 'RS256', ctctURL, '[{"url_id":"id-1","event_type":"contact.create","name":"Zoë"}]', {}, { ts: NOW, b64: false, crit: ['b64'] }, true);
  m.must('bad_payload_encoded', false, 'signed over the base64url of the body though the header says b64:false', { rawBody: false });
  m.must('bad_crit_unknown', false, 'crit names an extension that nobody knows', { head: { crit: ['b64', 'exp2'], exp2: 1 } });
  m.must('bad_time_swapped', false, 'ts changed after signing', {}, header('x-ctct-webhook-sig', (v) => b64json({ alg: 'RS256', ts: NOW - 5, b64: false, crit: ['b64'] }) + v.slice(v.indexOf('.'))));
  m.add('bad_time_stale', 'policy-time', false, 'correctly signed a day ago: ts is there against replays', { head: { ts: NOW - 86400 } });
  m.add('bad_time_future', 'policy-time', false, 'correctly signed a day in the future', { head: { ts: NOW + 86400 } });
  return m.out;
}
function verifyConstantContact(req, options) {
  const jws = readDetached(one(req, 'x-ctct-webhook-sig'));
  if (jws.header.b64 !== false || (jws.header.crit ?? []).some((c) => c !== 'b64')) reject('crit');
  checkJWS('RS256', keysFor(options, ctctURL, jws.header), jws, req.body, true);
  if (!(Math.abs(options.now - jws.header.ts) <= 300)) reject('outside the window');
}

// ---------------------------------------------------------------- keygen

const keygenMessage = (req, config, names) => Buffer.from(names.map((n) => {
  if (n === '(request-target)') return `${n}: ${req.method.toLowerCase()} ${target(signedURL(req, config))}`;
  return n + ': ' + (n === 'host' ? new URL(signedURL(req, config)).host : one(req, n));
}).join('\n'));
function keygen() {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('raw-hex', testKeys['ed25519_' + w]), key: testKeys['ed25519_' + w] }));
  const all = ['(request-target)', 'host', 'date', 'digest'];
  const make = ({ key = A.key, names = all, url = base('keygen') + '?a=1', algorithm = 'ed25519', digestOf, sign = (k, msg) => crypto.sign(null, msg, k), date = NOW * 1000 }) => {
    const text = Buffer.from('{"data":{"id":"6b9b6b1c-8a1c-4e7e-8f0c-3d3f3a3b3c3d","type":"webhook-events","attributes":{"event":"license.created","payload":"{\\"name\\":\\"Zoë\\"}"}}}');
    const req = { method: 'POST', url, headers: [['Content-Type', 'application/vnd.api+json'], ['Host', 'hooks.example.com'], ['Date', new Date(date).toUTCString()], ['Digest', 'sha-256=' + sha('sha256', digestOf ?? text).toString('base64')]], body: text };
    req.headers.push(['Keygen-Signature', `keyid="acct_1", algorithm="${algorithm}", signature="${sign(key, keygenMessage(req, undefined, names)).toString('base64')}", headers="${names.join(' ')}"`]);
    return req;
  };
  const m = maker('keygen', make, A.secret), { must, add } = m;
  const expect = { type: 'license.created', delivery_id: '6b9b6b1c-8a1c-4e7e-8f0c-3d3f3a3b3c3d' };
  must('valid', true, 'baseline', {}, { expect });
  must('valid_no_query', true, 'no query', { url: base('keygen') });
  add('valid_behind_proxy', 'edge', true, 'seen URL and Host differ; config.url is the public URL', {}, { edit: (r) => { r.url = r.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080/inner'); r.headers = r.headers.map(([n, v]) => (n === 'Host' ? [n, '10.0.0.7:8080'] : [n, v])); }, config: { url: base('keygen') + '?a=1' } });
  must('bad_body_bitflip', false, 'body changed, digest left: it must be computed again', {}, body((b) => b.replace('created', 'createx')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_body_and_digest', false, 'body and digest changed, signature left', {}, { edit: (r) => { r.body = Buffer.from('{}'); r.headers = r.headers.map(([n, v]) => (n === 'Digest' ? [n, 'sha-256=' + sha('sha256', '{}').toString('base64')] : [n, v])); } });
  must('bad_digest_signed_wrong', false, 'the signed digest is of another body', { digestOf: Buffer.from('{}') });
  must('bad_digest_missing', false, 'no Digest header', {}, header('digest', () => undefined));
  must('bad_digest_not_listed', false, 'digest is not among the signed headers: the body is not bound', { names: ['(request-target)', 'host', 'date'] });
  must('bad_date_changed', false, 'the signed date changed', {}, header('date', () => new Date((NOW + 1) * 1000).toUTCString()));
  must('bad_url_path', false, 'same request delivered to another path', {}, { edit: (r) => { r.url = r.url.replace('/in/', '/other/'); } });
  must('bad_url_query', false, 'query changed', {}, { edit: (r) => { r.url += '&x=1'; } });
  must('bad_method', false, 'HTTP method changed', {}, { edit: (r) => { r.method = 'PUT'; } });
  must('bad_alg_confusion', false, 'HMAC-SHA256 keyed with the text of the public key', { algorithm: 'hmac-sha256', sign: (k, msg) => hmac('sha256', A.secret, msg) });
  must('bad_truncated_signature', false, 'last bytes of the signature removed', { sign: (k, msg) => crypto.sign(null, msg, k).subarray(0, 60) });
  must('bad_signature_flip', false, 'one signature character changed', {}, header('keygen-signature', (v) => flip(v, v.indexOf('signature="') + 16)));
  common(m, 'keygen-signature', A, B);
  return m.out;
}
function verifyKeygen(req, { secrets, config }) {
  const fields = Object.fromEntries([...one(req, 'keygen-signature').matchAll(/(\w+)="([^"]*)"/g)].map((x) => [x[1], x[2]]));
  const names = (fields.headers ?? '').split(' ');
  if (fields.algorithm !== 'ed25519' || !names.includes('digest') || !names.includes('(request-target)')) reject('incomplete');
  if (one(req, 'digest') !== 'sha-256=' + sha('sha256', req.body).toString('base64')) reject('digest');
  const sig = decode('base64', fields.signature ?? ''), message = keygenMessage(req, config, names);
  const spki = (s) => crypto.createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(s, 'hex')]), format: 'der', type: 'spki' });
  any(secrets, (s) => crypto.verify(null, message, spki(s), sig));
}

// ---------------------------------------------------------------- ebay

function ebay() {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('pem', testKeys['p256_' + w]), key: testKeys['p256_' + w] }));
  const text = '{"metadata":{"topic":"MARKETPLACE_ACCOUNT_DELETION","schemaVersion":"1.0","deprecated":false},"notification":{"notificationId":"49feeaeb-4982-42d9-a377-9645b8479411","data":{"username":"Zoë"}}}';
  const make = ({ key = A.key, hash = 'sha1', head = {}, sign }) => {
    const signature = (sign ?? ((b) => ecdsaDer(hash, key, b)))(Buffer.from(text)).toString('base64');
    return { headers: [['Content-Type', 'application/json'], ['X-EBAY-SIGNATURE', Buffer.from(JSON.stringify({ alg: 'ECDSA', kid: '9936261a-7d7b-4621-a0f1-96ccb428af49', signature, digest: 'SHA1', ...head })).toString('base64')]], body: Buffer.from(text) };
  };
  const m = maker('ebay', make, A.secret), { must, add } = m;
  const expect = { type: 'MARKETPLACE_ACCOUNT_DELETION', delivery_id: '49feeaeb-4982-42d9-a377-9645b8479411' };
  must('valid', true, 'baseline', {}, { expect });
  must('valid_header_case', true, 'header names lower-cased', {}, { edit: (r) => { r.headers = r.headers.map(([n, v]) => [n.toLowerCase(), v]); }, expect });
  add('valid_key_base64', 'edge', true, 'the public key without PEM lines', {}, { secrets: [writePublicKey('spki-base64', A.key)] });
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('Zoë', 'Zoê')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_wrong_hash', false, 'signed over SHA-256, labelled SHA1', { hash: 'sha256' });
  must('bad_alg_none', false, 'alg none, no signature', { head: { alg: 'none', signature: '' } });
  must('bad_alg_confusion', false, 'HMAC keyed with the text of the public key', { sign: (b) => hmac('sha1', A.secret, b) });
  must('bad_header_not_json', false, 'the header is base64 of something else', {}, header('x-ebay-signature', () => Buffer.from('no').toString('base64')));
  must('bad_truncated_signature', false, 'last bytes of the signature removed', { sign: (b) => ecdsaDer('sha1', A.key, b).subarray(0, -3) });
  must('bad_signature_raw', false, 'r and s side by side instead of ASN.1', { sign: (b) => ecdsaRaw('sha1', A.key, b) });
  common(m, 'x-ebay-signature', A, B);
  return m.out;
}
function verifyEbay(req, { secrets }) {
  const head = parse(decode('base64', one(req, 'x-ebay-signature')));
  if (!/^ecdsa$/i.test(head.alg) || !/^sha1$/i.test(head.digest)) reject('algorithm');
  const sig = decode('base64', head.signature ?? '');
  any(secrets, (s) => crypto.verify('sha1', req.body, asKey(s), sig));
}

// ---------------------------------------------------------------- kinde

const kindeURL = 'https://example.kinde.com/.well-known/jwks';
function kinde() {
  const [A, B] = ['a', 'b'].map((w) => ({ secret: writePublicKey('pem', testKeys['rsa_' + w]), key: testKeys['rsa_' + w] }));
  const claims = { data: { user: { id: 'kp_1', email: 'zoë@example.com' } }, event_id: 'event_018ec2a1', event_timestamp: '2026-05-28T20:26:40.000000+00:00', source: 'admin', timestamp: '2026-05-28T20:26:40.000000+00:00', type: 'user.created' };
  const make = ({ key = A.key, alg = 'RS256', head = { kid: 'kid-a' }, more = {}, edit = (x) => x }) => ({ headers: [['Content-Type', 'application/jwt']], body: Buffer.from(edit(jwt(alg, key, { ...claims, ...more }, head))) });
  const m = maker('kinde', make, A.secret), { must, add } = m;
  const expect = { type: 'user.created', delivery_id: 'event_018ec2a1' };
  const jwks = (url = kindeURL) => ({ jwks: { [url]: { keys: [jwkOf(B.key, 'kid-b', 'RS256'), jwkOf(A.key, 'kid-a', 'RS256')] } }, issuer: 'https://example.kinde.com' });
  must('valid', true, 'the body is the token', {}, { expect });
  add('valid_jwk', 'edge', true, 'the public key as a JWK', {}, { secrets: [JSON.stringify(jwkOf(A.key, 'kid-a', 'RS256'))] });
  add('valid_jwks', 'edge', true, 'the key is fetched from the pinned issuer', {}, { secrets: [], config: jwks(), expect });
  must('bad_jwks_elsewhere', false, 'iss and jku of the token must not be followed', { head: { kid: 'kid-a', jku: 'https://evil.kinde.com/.well-known/jwks' }, more: { iss: 'https://evil.kinde.com' } }, { secrets: [], config: jwks('https://evil.kinde.com/.well-known/jwks') });
  must('bad_kid_unknown', false, 'kid is not in the set', { head: { kid: 'kid-x' } }, { secrets: [], config: jwks() });
  must('bad_body_changed', false, 'claims changed after signing', { edit: (t) => { const [h, , s] = t.split('.'); return [h, b64json({ ...claims, type: 'user.deleted' }), s].join('.'); } });
  must('bad_jwt_alg_none', false, 'alg:none', { alg: 'none' });
  must('bad_jwt_alg_confusion', false, 'HS256 keyed with the text of the public key', { alg: 'HS256', key: A.secret });
  add('bad_jwt_alg_not_listed', 'policy', false, 'right key, but RS512', { alg: 'RS512' });
  must('bad_jwt_no_signature', false, 'no signature', { edit: (t) => t.slice(0, t.lastIndexOf('.') + 1) });
  must('bad_signature_flip', false, 'one character of the signature changed', { edit: (t) => flip(t, t.lastIndexOf('.') + 5) });
  must('bad_garbage', false, 'the body is not a token', { edit: () => 'garbage' });
  must('bad_json_body', false, 'the claims as JSON, unsigned', { edit: () => JSON.stringify(claims) });
  must('bad_empty', false, 'no body', { edit: () => '' });
  common(m, undefined, A, B);
  return m.out;
}
function verifyKinde(req, options) {
  const t = readJWT(req.body.toString());
  if (t.header.alg !== 'RS256') reject('algorithm');
  if (!keysFor(options, (options.config?.issuer ?? '') + '/.well-known/jwks', t.header).some((k) => jwsVerify('RS256', k, t.input, t.sig))) reject('no key matches');
}

// ---------------------------------------------------------------- aws_sns

const snsFields = { Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'], SubscriptionConfirmation: ['Message', 'MessageId', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type'] };
snsFields.UnsubscribeConfirmation = snsFields.SubscriptionConfirmation;
export const snsMessage = (doc) => snsFields[doc.Type].filter((f) => doc[f] !== undefined).map((f) => f + '\n' + doc[f] + '\n').join('');
function verifySNS(req, { secrets, config }) {
  const doc = parse(req.body);
  if (!secrets.includes(doc.TopicArn)) reject('topic');
  if (!/^https:\/\/sns\.[a-z0-9-]{3,}\.amazonaws\.com(\.cn)?\/[^?#]*\.pem$/.test(doc.SigningCertURL)) reject('certificate URL');
  const hash = { 1: 'sha1', 2: 'sha256' }[doc.SignatureVersion] ?? reject('version');
  const cert = config.certs[doc.SigningCertURL] ?? reject('no certificate');
  if (!crypto.verify(hash, Buffer.from(snsMessage(doc)), crypto.createPublicKey(cert), decode('base64', doc.Signature ?? ''))) reject('no key matches');
}

export const publics = { alipay: [alipay, verifyAlipay], truelayer: [truelayer, verifyTruelayer], fireblocks_v2: [fireblocks, verifyFireblocks], constant_contact: [constantContact, verifyConstantContact], keygen: [keygen, verifyKeygen], ebay: [ebay, verifyEbay], kinde: [kinde, verifyKinde], aws_sns: [() => [], verifySNS] };
