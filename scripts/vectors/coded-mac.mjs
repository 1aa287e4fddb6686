// Schemes in code that share a secret: the bytes each signs, a verifier, vectors.
import { decode, formPairs, headerValues, hmac, jwsVerify, jwt, NOW, queryPairs, reject, sha } from './engine.mjs';
import { keccak256 } from './keccak.mjs';
import { hexKey, textKey, base, one, parse, same, any, signedURL, target, byBytes, flip, maker, body, header, common, emptySecret, readJWT } from './maker.mjs';
import { uuid } from './samples.mjs';
import { writeForm } from './sign.mjs';

// ---------------------------------------------------------------- adyen

const adyenMessage = (item) => [item.pspReference, item.originalReference, item.merchantAccountCode, item.merchantReference, item.amount?.value, item.amount?.currency, item.eventCode, item.success].map((v) => v ?? '').join(':');
const adyenSign = (key, item) => hmac('sha256', Buffer.from(key, 'hex'), adyenMessage(item)).toString('base64');
function adyenItem(more = {}) {
  return { pspReference: '7914073381342284', originalReference: '', merchantAccountCode: 'TestMerchant', merchantReference: 'TestPayment-1407325143704', amount: { value: 1130, currency: 'EUR' }, eventCode: 'AUTHORISATION', success: 'true', eventDate: '2026-05-28T20:26:40+00:00', ...more };
}
function adyen() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: hexKey('adyen', w), key: hexKey('adyen', w) }));
  const make = ({ key = A.key, items = [adyenItem()], write = JSON.stringify, after = () => {} }) => {
    const signed = items.map((item) => ({ ...item, additionalData: { ...item.additionalData, hmacSignature: adyenSign(key, item) } }));
    after(signed);
    return { headers: [['Content-Type', 'application/json']], body: Buffer.from(write({ live: 'false', notificationItems: signed.map((i) => ({ NotificationRequestItem: i })) })) };
  };
  const m = maker('adyen', make, A.secret), { must, add } = m;
  const edit = (f) => ({ after: (items) => f(items.at(-1)) });
  const type = { expect: { type: 'AUTHORISATION' } };
  must('valid', true, 'baseline', {}, type);
  must('valid_pretty', true, 'fields are signed, not bytes: indentation does not matter', { write: (d) => JSON.stringify(d, null, 2) }, type);
  must('valid_two_items', true, 'two items, each with its own signature', { items: [adyenItem(), adyenItem({ pspReference: '8814073381342285', success: 'false' })] }, type);
  must('valid_no_original_reference', true, 'an absent field counts as empty', { items: [adyenItem({ originalReference: undefined })] });
  must('valid_special_characters', true, 'values are not escaped, a colon and a backslash neither', { items: [adyenItem({ merchantReference: 'a:b\\c é' })] });
  add('unbound_body_changed', 'edge', true, 'only eight fields are signed: callers must not trust the others', edit((i) => { i.reason = 'changed'; }));
  must('bad_amount', false, 'amount changed after signing', edit((i) => { i.amount.value = 1131; }));
  must('bad_success', false, 'success changed after signing', edit((i) => { i.success = 'false'; }));
  must('bad_second_item', false, 'the second item is signed with another key: every item must verify', { items: [adyenItem(), adyenItem({ pspReference: '2' })], ...edit((i) => { i.additionalData.hmacSignature = adyenSign(B.key, i); }) });
  must('bad_second_item_unsigned', false, 'the second item has no signature', { items: [adyenItem(), adyenItem({ pspReference: '2' })], ...edit((i) => { delete i.additionalData; }) });
  must('bad_no_items', false, 'no items: nothing was signed', { items: [] });
  must('bad_missing_signature', false, 'no hmacSignature', edit((i) => { delete i.additionalData; }));
  must('bad_empty_signature', false, 'hmacSignature is empty', edit((i) => { i.additionalData.hmacSignature = ''; }));
  must('bad_signature_flip', false, 'one signature character changed', edit((i) => { i.additionalData.hmacSignature = flip(i.additionalData.hmacSignature); }));
  must('bad_truncated_signature', false, 'last bytes of the signature removed', edit((i) => { i.additionalData.hmacSignature = i.additionalData.hmacSignature.slice(0, -4); }));
  must('bad_wrong_encoding', false, 'right MAC, encoded as hex', edit((i) => { i.additionalData.hmacSignature = Buffer.from(i.additionalData.hmacSignature, 'base64').toString('hex'); }));
  must('bad_key_not_derived', false, 'keyed with the text of the secret instead of its hex meaning', edit((i) => { i.additionalData.hmacSignature = hmac('sha256', A.secret, adyenMessage(i)).toString('base64'); }));
  must('bad_not_json', false, 'body is not JSON', {}, body(() => '{'));
  common(m, undefined, A, B);
  emptySecret(m);
  return m.out;
}
function verifyAdyen(req, { secrets }) {
  const items = parse(req.body).notificationItems;
  if (!Array.isArray(items) || items.length === 0) reject('no items');
  any(secrets, (s) => items.every(({ NotificationRequestItem: item }) => {
    const sig = item?.additionalData?.hmacSignature;
    return typeof sig === 'string' && sig !== '' && /^[A-Za-z0-9+/]+=*$/.test(sig) && same(Buffer.from(sig, 'base64'), Buffer.from(adyenSign(s, item), 'base64'));
  }));
}

// ---------------------------------------------------------------- contentful

// contentfulPath is what Contentful's toolkit makes of "/path?a=1": the query is
// escaped as one value, and the whole once more.
const contentfulPath = (path) => { const [p, q] = path.split('?'); return encodeURI(q ? p + '?' + encodeURIComponent(q) : p); };
function contentfulMessage(req, config, listed) {
  const lines = [...listed].sort().map((n) => n + ':' + one(req, n).trim());
  return Buffer.concat([Buffer.from([req.method, contentfulPath(target(signedURL(req, config))), lines.join(';'), ''].join('\n')), req.body]);
}
function contentful() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: hexKey('contentful', w), key: hexKey('contentful', w) }));
  const make = ({ key = A.key, time = NOW * 1000, url = base('contentful'), method = 'POST', text = '{"sys":{"type":"Entry","id":"4LgMotpNF6W20YKmuemW0a"},"name":"Zoë"}' }) => {
    const req = { method, url, headers: [['Content-Type', 'application/vnd.contentful.management.v1+json'], ['X-Contentful-Topic', 'ContentManagement.Entry.publish'], ['X-Contentful-Webhook-Name', 'hook'], ['X-Contentful-Timestamp', String(time)]], body: Buffer.from(text) };
    const listed = ['content-type', 'x-contentful-signed-headers', 'x-contentful-timestamp', 'x-contentful-topic'];
    req.headers.push(['X-Contentful-Signed-Headers', listed.join(',')]);
    req.headers.push(['X-Contentful-Signature', hmac('sha256', key, contentfulMessage(req, undefined, listed)).toString('hex')]);
    return req;
  };
  const m = maker('contentful', make, A.secret), { must, add } = m;
  const type = { expect: { type: 'ContentManagement.Entry.publish' } };
  must('valid', true, 'baseline', {}, type);
  must('valid_header_case', true, 'header names upper/lower-cased; names are case-insensitive', {}, { edit: (r) => { r.headers = r.headers.map(([n, v], i) => [i % 2 ? n.toLowerCase() : n.toUpperCase(), v]); }, ...type });
  must('valid_empty', true, 'no body', { text: '' });
  must('valid_query', true, 'the query is escaped as one value, then the whole once more', { url: base('contentful') + '?a=1&b=x%20y' });
  add('valid_behind_proxy', 'edge', true, 'seen URL differs; config.url is the public URL', {}, { edit: (r) => { r.url = r.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080/inner'); }, config: { url: base('contentful') } });
  add('unbound_header_changed', 'edge', true, 'a header that is not listed is not signed', {}, header('x-contentful-webhook-name', () => 'other'));
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('Entry', 'Entrx')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_listed_header_changed', false, 'a signed header changed', {}, header('x-contentful-topic', () => 'ContentManagement.Entry.delete'));
  must('bad_listed_header_removed', false, 'a signed header removed', {}, header('x-contentful-topic', () => undefined));
  must('bad_list_shortened', false, 'a header taken off the list', {}, header('x-contentful-signed-headers', (v) => v.replace(',x-contentful-topic', '')));
  must('bad_list_missing', false, 'no list of signed headers', {}, header('x-contentful-signed-headers', () => undefined));
  must('bad_method', false, 'HTTP method changed', {}, { edit: (r) => { r.method = 'PUT'; } });
  must('bad_url_path', false, 'same request delivered to another path', {}, { edit: (r) => { r.url = r.url.replace('/in/', '/other/'); } });
  must('bad_url_query', false, 'query string appended', {}, { edit: (r) => { r.url += '?x=1'; } });
  must('bad_time_swapped', false, 'timestamp replaced after signing', {}, header('x-contentful-timestamp', (v) => String(Number(v) + 1)));
  must('bad_time_missing', false, 'timestamp absent', {}, header('x-contentful-timestamp', () => undefined));
  add('edge_time_just_inside', 'edge', true, 'signed 29 s ago; tolerance 30 s', { time: (NOW - 29) * 1000 });
  add('bad_time_stale', 'policy-time', false, 'correctly signed 90 s ago; tolerance 30 s', { time: (NOW - 90) * 1000 });
  add('bad_time_future', 'policy-time', false, 'correctly signed 90 s in the future', { time: (NOW + 90) * 1000 });
  add('edge_hex_uppercase', 'policy', true, 'hex is case-insensitive', {}, header('x-contentful-signature', (v) => v.toUpperCase()));
  common(m, 'x-contentful-signature', A, B);
  emptySecret(m);
  return m.out;
}
function verifyContentful(req, { secrets, config, now }) {
  const sig = decode('hex', one(req, 'x-contentful-signature'));
  const time = one(req, 'x-contentful-timestamp');
  if (!/^[1-9]\d*$/.test(time) || Math.abs(now * 1000 - Number(time)) > 30000) reject('outside the window');
  const listed = one(req, 'x-contentful-signed-headers').split(',').map((n) => n.trim().toLowerCase());
  if (!listed.includes('x-contentful-timestamp')) reject('the timestamp is not signed');
  const message = contentfulMessage(req, config, listed);
  any(secrets, (s) => same(hmac('sha256', s, message), sig));
}

// ---------------------------------------------------------------- plivo_v3

function plivoMessage(req, config, nonce) {
  const url = signedURL(req, config), sorted = (pairs) => [...pairs].sort((a, b) => byBytes(a[0], b[0]) || byBytes(a[1], b[1]));
  const [query, form] = [queryPairs(url), req.method === 'POST' ? formPairs(req) : []];
  let text = url.split('?')[0];
  if (query.length || form.length) text += '?' + sorted(query).map(([n, v]) => n + '=' + v).join('&');
  if (query.length && form.length) text += '.';
  return text + sorted(form).map(([n, v]) => n + v).join('') + '.' + nonce;
}
function plivo() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: textKey('plivo_v3', w), key: textKey('plivo_v3', w) }));
  const form = [['CallUUID', '97ceeb52-58b6-11e1-86da-77300b68f8bb'], ['From', '14155550100'], ['To', '14155550199'], ['Event', 'Hangup'], ['Name', 'Zoë & 1+1']];
  const nonce = '05429567804466091622';
  const make = ({ key = A.key, pairs = form, url = base('plivo_v3'), method = 'POST', others = [], at = 'X-Plivo-Signature-V3' }) => {
    const req = { method, url, headers: [...(method === 'POST' ? [['Content-Type', 'application/x-www-form-urlencoded']] : []), ['X-Plivo-Signature-V3-Nonce', nonce]], body: method === 'POST' ? writeForm(pairs) : Buffer.alloc(0) };
    req.headers.push([at, [...others, hmac('sha256', key, plivoMessage(req, undefined, nonce)).toString('base64')].join(',')]);
    return req;
  };
  const m = maker('plivo_v3', make, A.secret), { must, add } = m;
  const wrong = hmac('sha256', 'wrong', 'x').toString('base64');
  must('valid', true, 'POST with a form and no query');
  must('valid_query', true, 'POST with a query and a form: a dot between them', { url: base('plivo_v3') + '?b=2&a=1%20x' });
  must('valid_query_no_form', true, 'POST with a query only', { url: base('plivo_v3') + '?b=2&a=1', pairs: [] });
  must('valid_empty', true, 'POST with neither', { pairs: [] });
  must('valid_get', true, 'GET: sorted query, name=value', { method: 'GET', url: base('plivo_v3') + '?To=1&From=2&CallUUID=x' });
  must('valid_get_no_query', true, 'GET without a query', { method: 'GET' });
  must('valid_form_multi', true, 'a repeated field: its values sorted', { pairs: [['b', '2'], ['a', 'z'], ['a', 'y']] });
  must('valid_main_account', true, 'the header of the main account, -Ma-V3, counts too', { at: 'X-Plivo-Signature-Ma-V3' });
  must('multi_bad_then_good', true, 'several signatures in one header: any match', { others: [wrong] });
  must('multi_all_bad', false, 'no signature matches', {}, header('x-plivo-signature-v3', () => wrong + ',' + wrong));
  add('valid_behind_proxy', 'edge', true, 'seen URL differs; config.url is the public URL', {}, { edit: (r) => { r.url = r.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080'); }, config: { url: base('plivo_v3') } });
  must('bad_body_changed', false, 'a form value changed after signing', {}, body((b) => b.replace('Hangup', 'Hangux')));
  must('bad_field_added', false, 'a form field added', {}, body((b) => b + '&x=1'));
  must('bad_url_path', false, 'same request delivered to another path', {}, { edit: (r) => { r.url = r.url.replace('/in/', '/other/'); } });
  must('bad_url_query', false, 'query string appended', {}, { edit: (r) => { r.url += '?x=1'; } });
  must('bad_nonce_swapped', false, 'nonce changed after signing', {}, header('x-plivo-signature-v3-nonce', (v) => flip(v)));
  must('bad_nonce_missing', false, 'nonce absent', {}, header('x-plivo-signature-v3-nonce', () => undefined));
  must('bad_wrong_hash', false, 'signed with HMAC-SHA1', {}, { edit: (r) => { r.headers.at(-1)[1] = hmac('sha1', A.key, plivoMessage(r, undefined, nonce)).toString('base64'); } });
  must('bad_wrong_encoding', false, 'right MAC, encoded as hex', {}, header('x-plivo-signature-v3', (v) => Buffer.from(v, 'base64').toString('hex')));
  common(m, 'x-plivo-signature-v3', A, B);
  emptySecret(m);
  return m.out;
}
function verifyPlivo(req, { secrets, config }) {
  const values = ['x-plivo-signature-v3', 'x-plivo-signature-ma-v3'].flatMap((n) => { const v = headerValues(req, n); if (v.length > 1) reject(n + ' is there twice'); return v; });
  if (!values.length) reject('no signature');
  const message = plivoMessage(req, config, one(req, 'x-plivo-signature-v3-nonce'));
  const sigs = values.join(',').split(',').filter((s) => /^[A-Za-z0-9+/]{43}=$/.test(s)).map((s) => Buffer.from(s, 'base64'));
  any(secrets, (s) => sigs.some((sig) => same(hmac('sha256', s, message), sig)));
}

// ---------------------------------------------------------------- jira_connect

const rfc3986 = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());
function jiraCanonical(req, config) {
  const url = signedURL(req, config);
  let path = target(url).split('?')[0].replaceAll('&', '%26') || '/';
  if (path.length > 1) path = path.replace(/\/$/, '');
  const grouped = new Map();
  for (const [n, v] of queryPairs(url)) if (n !== 'jwt') grouped.set(n, [...(grouped.get(n) ?? []), v]);
  const query = [...grouped.keys()].sort().map((n) => rfc3986(n) + '=' + grouped.get(n).sort().map(rfc3986).join(',')).join('&');
  return `${req.method.toUpperCase()}&${path}&${query}`;
}
function jiraConnect() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: textKey('jira_connect', w), key: textKey('jira_connect', w) }));
  const make = ({ key = A.key, alg = 'HS256', claims = {}, url = base('jira_connect') + '?user_id=5b10&user_key=a%20b', iat = NOW, scheme = 'JWT ' }) => {
    const req = { method: 'POST', url, headers: [['Content-Type', 'application/json; charset=UTF-8']], body: Buffer.from('{"timestamp":1780000000000,"webhookEvent":"jira:issue_updated","issue":{"id":"10000","key":"TEST-1"}}') };
    const qsh = sha('sha256', jiraCanonical(req)).toString('hex');
    req.headers.push(['Authorization', scheme + jwt(alg, key, { iss: 'b1d5d4f1-55d5-3f2c-9e8e-client', iat, exp: iat + 180, qsh, ...claims })]);
    return req;
  };
  const m = maker('jira_connect', make, A.secret), { must, add } = m;
  const type = { expect: { type: 'jira:issue_updated' } };
  must('valid', true, 'baseline', {}, type);
  must('valid_header_case', true, 'header names upper-cased', {}, { edit: (r) => { r.headers = r.headers.map(([n, v]) => [n.toUpperCase(), v]); }, ...type });
  must('valid_no_query', true, 'no query: the canonical request ends in &', { url: base('jira_connect') });
  must('valid_query_order', true, 'parameters sorted, repeated ones joined by a comma, escaped as RFC 3986', { url: base('jira_connect') + "?z=1&a=2&a=1&s=!'()*%2B+~" });
  must('valid_trailing_slash', true, 'a slash at the end of the path is not signed', { url: base('jira_connect') + '/' });
  add('edge_auth_scheme_case', 'edge', true, 'the word of an authorization scheme is case-insensitive', { scheme: 'jwt ' });
  add('unbound_body_changed', 'edge', true, 'the body is not signed: callers must not trust it', {}, body((b) => b.replace('10000', '10001')));
  add('valid_behind_proxy', 'edge', true, 'seen URL differs; config.url is the public URL', {}, { edit: (r) => { r.url = r.url.replace('https://hooks.example.com', 'http://10.0.0.7:8080/inner'); }, config: { url: base('jira_connect') + '?user_id=5b10&user_key=a%20b' } });
  must('bad_url_path', false, 'same request delivered to another path', {}, { edit: (r) => { r.url = r.url.replace('/in/', '/other/'); } });
  must('bad_url_query', false, 'a parameter added', {}, { edit: (r) => { r.url += '&x=1'; } });
  must('bad_method', false, 'HTTP method changed', {}, { edit: (r) => { r.method = 'PUT'; } });
  must('bad_jwt_no_qsh', false, 'no qsh claim', { claims: { qsh: undefined } });
  add('bad_jwt_context_qsh', 'must', false, 'qsh "context-qsh" is for tokens of a browser context, not for webhooks', { claims: { qsh: 'context-qsh' } });
  must('bad_jwt_expired', false, 'exp passed', { iat: NOW - 1200 });
  add('bad_jwt_no_exp', 'policy', false, 'a token that never ends', { claims: { exp: undefined } });
  must('bad_jwt_alg_none', false, 'alg:none', { alg: 'none' });
  add('bad_jwt_alg_not_listed', 'policy', false, 'right key, but HS512', { alg: 'HS512' });
  must('bad_wrong_prefix', false, '"JWT " replaced by "Bearer "', { scheme: 'Bearer ' });
  must('bad_signature_flip', false, 'one character of the signature changed', {}, header('authorization', (v) => flip(v, v.lastIndexOf('.') + 5)));
  common(m, 'authorization', A, B);
  emptySecret(m);
  return m.out;
}
function verifyJira(req, { secrets, config, now }) {
  const t = readJWT(/^JWT (.+)$/i.exec(one(req, 'authorization'))?.[1] ?? reject('not JWT'));
  if (t.header.alg !== 'HS256') reject('algorithm');
  any(secrets, (s) => jwsVerify('HS256', s, t.input, t.sig));
  if (!(t.claims.exp >= now)) reject('expired');
  if (t.claims.qsh !== sha('sha256', jiraCanonical(req, config)).toString('hex')) reject('qsh');
}

// ---------------------------------------------------------------- payos

function payosMessage(data) {
  const text = (v) => {
    if (v === null || v === undefined || v === 'null' || v === 'undefined') return '';
    if (Array.isArray(v)) return JSON.stringify(v.map((x) => Object.fromEntries(Object.entries(x).sort(([a], [b]) => (a < b ? -1 : 1)))));
    return String(v);
  };
  return Object.keys(data).sort().map((k) => k + '=' + text(data[k])).join('&');
}
function payos() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: hexKey('payos', w), key: hexKey('payos', w) }));
  const data = { orderCode: 123, amount: 3000, description: 'VQRIO123 Thanh toán', accountNumber: '12345678', reference: 'TF230204212323', transactionDateTime: '2026-05-28 20:26:40', currency: 'VND', paymentLinkId: '124c33293c43417ab7879e14c8d9eb18', code: '00', desc: 'Thành công', counterAccountBankId: '', counterAccountName: null };
  const make = ({ key = A.key, of = data, write = JSON.stringify, after = () => {}, alg = 'sha256', enc = 'hex' }) => {
    const doc = { code: '00', desc: 'success', success: true, data: { ...of }, signature: hmac(alg, key, payosMessage(of)).toString(enc) };
    after(doc);
    return { headers: [['Content-Type', 'application/json']], body: Buffer.from(write(doc)) };
  };
  const m = maker('payos', make, A.secret), { must, add } = m;
  const edit = (f) => ({ after: f });
  must('valid', true, 'baseline: null counts as empty');
  must('valid_pretty', true, 'fields are signed, not bytes', { write: (d) => JSON.stringify(d, null, 2) });
  must('valid_order', true, 'the order of the fields does not matter', { of: Object.fromEntries(Object.entries(data).reverse()) });
  must('valid_array', true, 'an array is JSON with the keys of its objects sorted', { of: { ...data, items: [{ quantity: 1, name: 'b', price: 10 }, { name: 'a' }] } });
  add('unbound_body_changed', 'edge', true, 'only data is signed', edit((d) => { d.desc = 'changed'; }));
  must('bad_amount', false, 'a field of data changed after signing', edit((d) => { d.data.amount = 3001; }));
  must('bad_field_added', false, 'a field added to data', edit((d) => { d.data.extra = 1; }));
  must('bad_field_removed', false, 'a field of data removed', edit((d) => { delete d.data.code; }));
  must('bad_no_data', false, 'no data: nothing was signed', edit((d) => { delete d.data; }));
  must('bad_missing_signature', false, 'no signature', edit((d) => { delete d.signature; }));
  must('bad_empty_signature', false, 'signature is empty', edit((d) => { d.signature = ''; }));
  must('bad_garbage_signature', false, 'signature is not parseable', edit((d) => { d.signature = 'garbage'; }));
  must('bad_signature_flip', false, 'one signature character changed', edit((d) => { d.signature = flip(d.signature); }));
  must('bad_truncated_signature', false, 'last byte of the signature removed', edit((d) => { d.signature = d.signature.slice(0, -2); }));
  must('bad_wrong_hash', false, 'signed with HMAC-SHA1', { alg: 'sha1' });
  must('bad_wrong_encoding', false, 'right MAC, encoded as base64', { enc: 'base64' });
  must('bad_not_json', false, 'body is not JSON', {}, body(() => '{'));
  add('edge_hex_uppercase', 'policy', true, 'hex is case-insensitive', edit((d) => { d.signature = d.signature.toUpperCase(); }));
  common(m, undefined, A, B);
  emptySecret(m);
  return m.out;
}
function verifyPayos(req, { secrets }) {
  const { data, signature } = parse(req.body);
  if (!data || typeof data !== 'object' || Array.isArray(data)) reject('no data');
  if (typeof signature !== 'string') reject('no signature');
  const sig = decode('hex', signature);
  any(secrets, (s) => same(hmac('sha256', s, payosMessage(data)), sig));
}

// ---------------------------------------------------------------- coinbase_cdp

const hook0Message = (req, t, h) => Buffer.concat([Buffer.from([t, h, ...h.split(' ').map((n) => one(req, n)), ''].join('.')), req.body]);
function coinbaseCDP() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: textKey('coinbase_cdp', w), key: textKey('coinbase_cdp', w) }));
  const make = ({ key = A.key, t = NOW, h = 'content-type x-event-id x-event-type', alg = 'sha256', enc = 'hex', order = (x) => x }) => {
    const req = { headers: [['Content-Type', 'application/json'], ['X-Event-Id', uuid('coinbase_cdp')], ['X-Event-Type', 'onchain.activity.detected'], ['X-Other', '1']], body: Buffer.from('{"id":"e1","eventType":"onchain.activity.detected","note":"Zoë"}') };
    const parts = [`t=${t}`, `v0=${hmac('sha256', key, Buffer.concat([Buffer.from(t + '.'), req.body])).toString('hex')}`, `h=${h}`, `v1=${hmac(alg, key, hook0Message(req, t, h)).toString(enc)}`];
    req.headers.push(['X-Hook0-Signature', order(parts).join(',')]);
    return req;
  };
  const m = maker('coinbase_cdp', make, A.secret), { must, add } = m;
  const expect = { type: 'onchain.activity.detected', delivery_id: uuid('coinbase_cdp') };
  must('valid', true, 'baseline', {}, { expect });
  must('valid_header_case', true, 'header names upper-cased; they are signed as h spells them', {}, { edit: (r) => { r.headers = r.headers.map(([n, v]) => [n.toUpperCase(), v]); }, expect });
  must('valid_no_v0', true, 'v1 alone', { order: (p) => p.filter((x) => !x.startsWith('v0')) });
  must('valid_one_header', true, 'one signed header', { h: 'content-type' });
  add('unbound_header_changed', 'edge', true, 'a header that h does not name is not signed', {}, header('x-other', () => '2'));
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('e1', 'e2')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_listed_header_changed', false, 'a signed header changed', {}, header('x-event-type', () => 'other'));
  must('bad_listed_header_removed', false, 'a signed header removed', {}, header('x-event-type', () => undefined));
  must('bad_list_shortened', false, 'a header taken off the list', {}, header('x-hook0-signature', (v) => v.replace(' x-event-type', '')));
  must('bad_list_missing', false, 'no h, so v1 cannot be checked', {}, header('x-hook0-signature', (v) => v.replace(/,h=[^,]*/, '').replace(/,v0=[^,]*/, '')));
  must('bad_time_swapped', false, 'timestamp replaced after signing', { t: NOW - 4 }, header('x-hook0-signature', (v) => v.replace(/t=\d+/, 't=' + NOW)));
  must('bad_time_missing', false, 'no t', {}, header('x-hook0-signature', (v) => v.replace(/t=\d+,/, '')));
  add('edge_time_just_inside', 'edge', true, 'signed 299 s ago; tolerance 300 s', { t: NOW - 299 });
  add('bad_time_stale', 'policy-time', false, 'correctly signed 360 s ago; tolerance 300 s', { t: NOW - 360 });
  add('bad_time_future', 'policy-time', false, 'correctly signed 360 s in the future', { t: NOW + 360 });
  must('bad_wrong_hash', false, 'v1 with HMAC-SHA1', { alg: 'sha1', order: (p) => p.filter((x) => !x.startsWith('v0')) });
  must('bad_wrong_encoding', false, 'v1 encoded as base64', { enc: 'base64', order: (p) => p.filter((x) => !x.startsWith('v0')) });
  must('bad_truncated_signature', false, 'last byte of v1 removed', { order: (p) => p.filter((x) => !x.startsWith('v0')) }, header('x-hook0-signature', (v) => v.slice(0, -2)));
  add('edge_hex_uppercase', 'policy', true, 'hex is case-insensitive', {}, header('x-hook0-signature', (v) => v.replace(/v1=.*/, (x) => 'v1=' + x.slice(3).toUpperCase())));
  common(m, 'x-hook0-signature', A, B);
  emptySecret(m);
  return m.out;
}
function verifyCoinbaseCDP(req, { secrets, now }) {
  const parts = one(req, 'x-hook0-signature').split(',').map((p) => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]);
  const get = (n) => parts.filter(([k]) => k === n).map(([, v]) => v);
  const [t] = get('t'), [h] = get('h'), v1 = get('v1');
  if (!t || !h || !v1.length) reject('incomplete');
  if (!/^[1-9]\d*$/.test(t) || Math.abs(now - Number(t)) > 300) reject('outside the window');
  const message = hook0Message(req, t, h);
  any(secrets, (s) => v1.some((sig) => /^[0-9a-f]{64}$/i.test(sig) && same(Buffer.from(sig, 'hex'), hmac('sha256', s, message))));
}

// ---------------------------------------------------------------- nowpayments

const sortedJSON = (v) => (Array.isArray(v) ? v.map(sortedJSON) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sortedJSON(v[k])])) : v);
const nowpaymentsMessage = (doc) => JSON.stringify(sortedJSON(doc));
function nowpayments() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: textKey('nowpayments', w), key: textKey('nowpayments', w) }));
  const doc = { payment_id: 4944856385, parent_payment_id: null, invoice_id: null, payment_status: 'finished', pay_address: '0xffffffffffffffffffffffffffffffffffffffff', price_amount: 170.5, price_currency: 'usd', pay_amount: 0.00123, order_description: 'Zoë / "x"', fee: { withdrawalFee: 0, currency: 'btc', depositFee: 0.09853637216235617 } };
  const make = ({ key = A.key, alg = 'sha512', enc = 'hex', of = doc, write = JSON.stringify, signed = nowpaymentsMessage }) => ({ headers: [['Content-Type', 'application/json'], ['x-nowpayments-sig', hmac(alg, key, signed(of)).toString(enc)]], body: Buffer.from(write(of)) });
  const m = maker('nowpayments', make, A.secret), { must, add } = m;
  const expect = { type: 'finished', delivery_id: '4944856385' };
  must('valid', true, 'keys sorted, those of inner objects too', {}, { expect });
  must('valid_pretty', true, 'fields are signed, not bytes', { write: (d) => JSON.stringify(d, null, 2) }, { expect });
  must('valid_order', true, 'the order of the keys does not matter', { of: Object.fromEntries(Object.entries(doc).reverse()) });
  must('valid_array', true, 'arrays keep their order', { of: { ...doc, list: [{ b: 1, a: 2 }, 'z', 'a'] } });
  must('valid_escaped', true, 'escapes in the body are the same text', { write: (d) => JSON.stringify(d).replace('ë', '\\u00eb').replace('/', '\\/') });
  must('bad_body_changed', false, 'a field changed after signing', {}, body((b) => b.replace('finished', 'finishee')));
  must('bad_inner_changed', false, 'an inner field changed after signing', {}, body((b) => b.replace('btc', 'eth')));
  must('bad_field_added', false, 'a field added', {}, body((b) => b.replace('{', '{"a":1,')));
  must('bad_not_sorted', false, 'signed over the body as sent', { signed: JSON.stringify });
  must('bad_wrong_hash', false, 'signed with HMAC-SHA256', { alg: 'sha256' });
  must('bad_wrong_encoding', false, 'right MAC, encoded as base64', { enc: 'base64' });
  must('bad_truncated_signature', false, 'last byte of the signature removed', {}, header('x-nowpayments-sig', (v) => v.slice(0, -2)));
  must('bad_not_json', false, 'body is not JSON', {}, body(() => '{'));
  add('edge_hex_uppercase', 'policy', true, 'hex is case-insensitive', {}, header('x-nowpayments-sig', (v) => v.toUpperCase()));
  common(m, 'x-nowpayments-sig', A, B);
  emptySecret(m);
  return m.out;
}
function verifyNowpayments(req, { secrets }) {
  const sig = decode('hex', one(req, 'x-nowpayments-sig')), message = nowpaymentsMessage(parse(req.body));
  any(secrets, (s) => same(hmac('sha512', s, message), sig));
}

// ---------------------------------------------------------------- moralis

function moralis() {
  const [A, B] = ['A', 'B'].map((w) => ({ secret: textKey('moralis', w), key: textKey('moralis', w) }));
  const text = '{"confirmed":false,"chainId":"0x1","streamId":"c28d9e2e","tag":"demo","txs":[],"note":"Zoë"}';
  const make = ({ key = A.key, content = text, hash = keccak256, order = (b, k) => [b, k] }) => {
    const bytes = Buffer.from(content);
    return { headers: [['Content-Type', 'application/json'], ['x-signature', '0x' + hash(Buffer.concat(order(bytes, Buffer.from(key)))).toString('hex')]], body: bytes };
  };
  const m = maker('moralis', make, A.secret), { must, add } = m;
  must('valid', true, 'Keccak-256 of body and secret, with 0x');
  must('valid_header_case', true, 'header names upper-cased', {}, { edit: (r) => { r.headers = r.headers.map(([n, v]) => [n.toUpperCase(), v]); } });
  must('valid_pretty', true, 'the bytes are signed as sent', { content: JSON.stringify(JSON.parse(text), null, 2) + '\r\n' });
  must('valid_long', true, 'more than one block of the sponge', { content: JSON.stringify({ txs: 'x'.repeat(136) }) });
  add('valid_binary', 'edge', true, 'not valid UTF-8', { content: Buffer.from('7b22fffe22', 'hex') });
  add('valid_empty', 'edge', true, 'no body', { content: '' });
  must('bad_body_bitflip', false, 'body changed after signing', {}, body((b) => b.replace('demo', 'demp')));
  must('bad_body_newline', false, 'newline appended', {}, body((b) => b + '\n'));
  must('bad_wrong_hash', false, 'SHA3-256 instead of Keccak-256', { hash: (b) => sha('sha3-256', b) });
  must('bad_wrong_hash_sha256', false, 'SHA-256', { hash: (b) => sha('sha256', b) });
  must('bad_order', false, 'secret before body', { order: (b, k) => [k, b] });
  must('bad_truncated_signature', false, 'last byte of the signature removed', {}, header('x-signature', (v) => v.slice(0, -2)));
  must('bad_wrong_encoding', false, 'right hash, encoded as base64', {}, header('x-signature', (v) => Buffer.from(v.slice(2), 'hex').toString('base64')));
  common(m, 'x-signature', A, B);
  emptySecret(m);
  return m.out;
}
function verifyMoralis(req, { secrets }) {
  const sig = decode('hex', /^0x(.+)$/.exec(one(req, 'x-signature'))?.[1] ?? reject('no 0x'));
  any(secrets, (s) => same(keccak256(Buffer.concat([req.body, Buffer.from(s)])), sig));
}

export const macs = { adyen: [adyen, verifyAdyen], contentful: [contentful, verifyContentful], plivo_v3: [plivo, verifyPlivo], jira_connect: [jiraConnect, verifyJira], payos: [payos, verifyPayos], coinbase_cdp: [coinbaseCDP, verifyCoinbaseCDP], nowpayments: [nowpayments, verifyNowpayments], moralis: [moralis, verifyMoralis] };
