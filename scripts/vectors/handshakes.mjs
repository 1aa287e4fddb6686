// What a provider asks before it sends events, and the answer it wants. Settings
// of the receiver are in config.
import crypto from 'node:crypto';
import { hmac, NOW, schemes, sha, testKeys } from './engine.mjs';
import { snsMessage } from './coded-public.mjs';
import { sign, keyPair, writeForm } from './sign.mjs';

const vector = (provider, variant, valid, expect, note, { method = 'GET', query = '', headers = [], body = '', secrets = [], config, klass = 'must', url } = {}) => {
  const whole = (url ?? `https://hooks.example.com/in/${provider}`) + query;
  return {
    id: `${provider}/${variant}`, provider, variant, kind: 'handshake', class: klass, method, url: whole, path: whole.replace(/^\w+:\/\/[^/]+/, ''), headers,
    body_base64: Buffer.from(body).toString('base64'), secrets, ...(config && { config }), now: NOW, valid, expect, oracle: null, note,
  };
};
const json = [['Content-Type', 'application/json']];
const secret = (name) => keyPair(name, schemes[name], 'A').secret;
const text = (body) => ({ status: 200, content_type: 'text/plain', body });
const answer = (value) => ({ status: 200, content_type: 'application/json', json: value });

// signed is a handshake that is signed as every event of its provider.
function signed(name, variant, valid, expect, note, body, { headers = [], pair = 'A', time, form, query = '', klass } = {}) {
  const row = schemes[name];
  const { req } = sign({ name, row, time, pair: keyPair(name, row, pair), headers: [...(form ? [['Content-Type', 'application/x-www-form-urlencoded']] : json), ...headers], ...(form ? { body: writeForm(form) } : { body: Buffer.from(body) }), url: `https://hooks.example.com/in/${name}${query}` });
  return vector(name, variant, valid, expect, note, { method: 'POST', headers: req.headers, body: req.body, secrets: [secret(name)], klass, url: req.url });
}
// Text that a signing handshake must not sign: it could be an event.
const forged = '{"type":"invoice.paid"}';

const hub = (token, mode = 'subscribe', challenge = '1158201444') => `?hub.mode=${mode}&hub.challenge=${encodeURIComponent(challenge)}${token === undefined ? '' : '&hub.verify_token=' + encodeURIComponent(token)}`;
const topic = 'https://www.youtube.com/xml/feeds/videos.xml?channel_id=UC1';
const websub = (of, mode = 'subscribe') => `?hub.mode=${mode}&hub.topic=${encodeURIComponent(of)}&hub.challenge=6b2f1a&hub.lease_seconds=432000`;
const echo = (name, parameter, expect) => [
  vector(name, 'handshake_ok', true, expect('C-1a2b3c'), 'echo the challenge, as text', { query: `?${parameter}=C-1a2b3c` }),
  vector(name, 'handshake_escaped', true, expect('a b+c/=é'), 'the challenge is decoded', { query: `?${parameter}=a%20b%2Bc%2F%3D%C3%A9` }),
];

function braintree() {
  const key = secret('braintree'), challenge = '20f9f8ed05f77439fe955c977e4c8a53';
  const config = { public_key: 'integration_public_key' }, secrets = [key];
  const reply = 'integration_public_key|' + hmac('sha1', sha('sha1', key), challenge).toString('hex');
  const ask = (c) => '?bt_challenge=' + encodeURIComponent(c);
  return [
    vector('braintree', 'handshake_ok', true, text(reply), 'public key, and the HMAC-SHA1 of the challenge', { query: ask(challenge), secrets, config }),
    vector('braintree', 'handshake_oracle_guard', false, { status: 400 }, 'only 20 to 32 hexadecimal digits may be signed: anything else could be a payload', { query: ask(Buffer.from('<notification/>').toString('base64')), secrets, config }),
    vector('braintree', 'handshake_oracle_short', false, { status: 400 }, 'a challenge of 19 digits', { query: ask(challenge.slice(0, 19)), secrets, config }),
    vector('braintree', 'handshake_oracle_long', false, { status: 400 }, 'a challenge of 33 digits', { query: ask(challenge + 'a'), secrets, config }),
    vector('braintree', 'handshake_oracle_newline', false, { status: 400 }, 'a newline after the challenge', { query: ask(challenge + '\n'), secrets, config }),
  ];
}
function signingGet(name, parameter, make, guardNote) {
  const key = secret(name);
  return [
    vector(name, 'handshake_ok', true, answer(make(key, '890ebe7e-a1b2-4c3d-8e9f-0a1b2c3d4e5f')), 'the challenge and its HMAC', { query: `?${parameter}=890ebe7e-a1b2-4c3d-8e9f-0a1b2c3d4e5f`, secrets: [key] }),
    vector(name, 'handshake_oracle_guard', false, { status: 400 }, guardNote, { query: `?${parameter}=${encodeURIComponent(forged)}`, secrets: [key] }),
    vector(name, 'handshake_oracle_newline', false, { status: 400 }, 'a newline in the challenge', { query: `?${parameter}=abc%0A`, secrets: [key] }),
    vector(name, 'handshake_empty', false, { status: 400 }, 'an empty challenge', { query: `?${parameter}=`, secrets: [key] }),
    vector(name, 'handshake_no_key', false, { status: 401 }, 'no key is configured: nothing can be answered', { query: `?${parameter}=abc`, secrets: [], klass: 'policy' }),
  ];
}
function ebay() {
  const config = { verify_token: 'verification-token_0123456789012345678901234567', url: 'https://hooks.example.com/in/ebay' };
  const code = 'a8628072-3d33-45ee-9004-bee86830a22d';
  const reply = answer({ challengeResponse: sha('sha256', code + config.verify_token + config.url).toString('hex') });
  return [
    vector('ebay', 'handshake_ok', true, reply, 'SHA-256 of code, verification token and endpoint', { query: '?challenge_code=' + code, config }),
    vector('ebay', 'handshake_behind_proxy', true, reply, 'the endpoint is the public URL, not the one seen', { query: '?challenge_code=' + code, config, url: 'http://10.0.0.7:8080/in/ebay', klass: 'edge' }),
    vector('ebay', 'handshake_no_token', false, { status: 403 }, 'no verification token is configured', { query: '?challenge_code=' + code, config: { url: config.url }, klass: 'policy' }),
  ];
}
function sns() {
  const arn = 'arn:aws:sns:us-east-1:123456789012:MyTopic', certURL = 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';
  const make = (variant, valid, expect, note, { subscribe = 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:123456789012:MyTopic&Token=2336412f37', key = testKeys.rsa_a, of = arn } = {}) => {
    const doc = { Type: 'SubscriptionConfirmation', MessageId: '165545c9-2a5c-472c-8df2-7ff2be2b3b1b', Token: '2336412f37', TopicArn: of, Message: 'You have chosen to subscribe to the topic.', SubscribeURL: subscribe, Timestamp: '2026-05-28T20:26:40.000Z', SignatureVersion: '2' };
    doc.Signature = crypto.sign('sha256', Buffer.from(snsMessage(doc)), key).toString('base64');
    doc.SigningCertURL = certURL;
    return vector('aws_sns', variant, valid, expect, note, { method: 'POST', headers: [['Content-Type', 'text/plain; charset=UTF-8'], ['x-amz-sns-message-type', 'SubscriptionConfirmation'], ['x-amz-sns-topic-arn', of]], body: JSON.stringify(doc), secrets: [arn], config: { certs: { [certURL]: testKeys.cert_a } } });
  };
  const url = 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:123456789012:MyTopic&Token=2336412f37';
  return [
    make('handshake_confirm_signed', true, { status: 200, confirm: url }, 'verified: then GET SubscribeURL'),
    make('handshake_bad_signature', false, { status: 401 }, 'signed by another key: nothing is fetched', { key: testKeys.rsa_b }),
    make('handshake_other_topic', false, { status: 401 }, 'a topic of somebody else: nothing is fetched', { of: 'arn:aws:sns:us-east-1:999999999999:Evil' }),
    make('handshake_subscribe_host', false, { status: 401 }, 'SubscribeURL is not on a host of SNS: nothing is fetched', { subscribe: 'https://sns.us-east-1.amazonaws.com.evil.example/?x' }),
    make('handshake_subscribe_http', false, { status: 401 }, 'SubscribeURL over http: nothing is fetched', { subscribe: url.replace('https', 'http') }),
  ];
}
const dropboxLike = (name) => echo(name, 'challenge', (c) => ({ ...text(c), headers: { 'X-Content-Type-Options': 'nosniff' } }));
const head200 = (name) => [vector(name, 'handshake_head', true, { status: 200 }, 'the provider asks with HEAD whether the URL is there', { method: 'HEAD' })];
const get200 = (name, query = '') => ['GET', 'HEAD'].map((method) => vector(name, 'handshake_' + method.toLowerCase(), true, { status: 200 }, 'the provider asks whether the URL is there', { method, query }));
const emptyEvents = (name, body) => [
  signed(name, 'handshake_ok', true, { status: 200 }, 'an intent to receive: signed, without events', body),
  signed(name, 'handshake_bad_signature', false, { status: 401 }, 'an intent to receive with a wrong signature must get 401', body, { pair: 'B' }),
];

export const handshakes = {
  meta: () => [
    vector('meta', 'handshake_no_token_configured', false, { status: 403 }, 'no verify token is configured, and none is sent: must fail closed', { query: hub(''), config: {}, klass: 'policy' }),
    vector('meta', 'handshake_token_missing', false, { status: 403 }, 'no verify token is sent', { query: hub(undefined), config: { verify_token: 'tok+en' } }),
  ],
  strava: () => [
    vector('strava', 'handshake_ok', true, answer({ 'hub.challenge': '15f7d1a91c1f40f8a748fd134752feb3' }), 'echo hub.challenge as JSON', { query: hub('STRAVA', 'subscribe', '15f7d1a91c1f40f8a748fd134752feb3'), config: { verify_token: 'STRAVA' } }),
    vector('strava', 'handshake_bad_token', false, { status: 403 }, 'wrong verify token', { query: hub('nope'), config: { verify_token: 'STRAVA' } }),
    vector('strava', 'handshake_token_missing', false, { status: 403 }, 'no verify token is sent', { query: hub(undefined), config: { verify_token: 'STRAVA' } }),
  ],
  websub: () => [
    vector('websub', 'handshake_ok', true, text('6b2f1a'), 'the topic was asked for', { query: websub(topic), config: { topic } }),
    vector('websub', 'handshake_other_topic', false, { status: 404 }, 'a topic that nobody asked for', { query: websub('https://example.com/feed'), config: { topic } }),
    vector('websub', 'handshake_unsubscribe', false, { status: 404 }, 'an unsubscription that nobody asked for', { query: websub(topic, 'unsubscribe'), config: { topic }, klass: 'policy' }),
  ],
  x_twitter: () => signingGet('x_twitter', 'crc_token', (key, c) => ({ response_token: 'sha256=' + hmac('sha256', key, c).toString('base64') }), 'the key also signs events: text outside [A-Za-z0-9._~+/=-] must not be signed'),
  linkedin: () => signingGet('linkedin', 'challengeCode', (key, c) => ({ challengeCode: c, challengeResponse: hmac('sha256', key, c).toString('hex') }), 'the key also signs events: text outside [A-Za-z0-9._~+/=-] must not be signed'),
  slack: () => [signed('slack', 'handshake_stale', false, { status: 401 }, 'signed an hour ago', '{"token":"t","challenge":"c","type":"url_verification"}', { time: (NOW - 3600) * 1000 })].map((v) => ({ ...v, class: 'policy-time' })),
  zoom: () => {
    const body = (plainToken) => JSON.stringify({ payload: { plainToken }, event_ts: NOW * 1000, event: 'endpoint.url_validation' });
    return [
      signed('zoom', 'handshake_bad_signature', false, { status: 401 }, 'an unsigned challenge must not be answered', body('qgg8vlvZRS6UYooatFL8Aw'), { pair: 'B' }),
      signed('zoom', 'handshake_oracle_guard', false, { status: 400 }, 'the key also signs events: text outside [A-Za-z0-9._~+/=-] must not be signed', body('v0:1780000000:{"event":"x"}')),
    ];
  },
  microsoft_graph: () => [
    vector('microsoft_graph', 'handshake_ok', true, text('Validation: Testing client application reachability for subscription Request-Id: 1'), 'echo validationToken, decoded', { method: 'POST', query: '?validationToken=Validation%3A+Testing+client+application+reachability+for+subscription+Request-Id%3A+1', headers: [['Content-Type', 'text/plain; charset=utf-8']], secrets: [secret('microsoft_graph')] }),
    vector('microsoft_graph', 'handshake_html', true, text('<script>alert(1)</script>'), 'always as text/plain, whatever it is', { method: 'POST', query: '?validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E', secrets: [secret('microsoft_graph')], klass: 'edge' }),
  ],
  azure_eventgrid: () => {
    const body = '[{"id":"2d1781af-3a4c-4d7c-bd0c-e34b19da4e66","topic":"/subscriptions/1","subject":"","data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6","validationUrl":"https://rp-eastus2.eventgrid.azure.net/eventsubscriptions/estest/validate?id=1"},"eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","eventTime":"2026-05-28T20:26:40.0Z","metadataVersion":"1","dataVersion":"1"}]';
    const options = (code) => ({ method: 'POST', query: '?code=' + code, headers: [...json, ['aeg-event-type', 'SubscriptionValidation']], body, secrets: [secret('azure_eventgrid')] });
    return [
      vector('azure_eventgrid', 'handshake_ok', true, answer({ validationResponse: '512d38b6-c7b8-40c8-89fe-f46f9e9622b6' }), 'echo the validation code', options(secret('azure_eventgrid'))),
      vector('azure_eventgrid', 'handshake_bad_token', false, { status: 401 }, 'the code in the query is wrong', options('wrong')),
      vector('azure_eventgrid', 'handshake_options', true, { status: 200, headers: { 'WebHook-Allowed-Origin': 'eventgrid.azure.net' } }, 'CloudEvents schema: OPTIONS', { method: 'OPTIONS', query: '?code=' + secret('azure_eventgrid'), headers: [['WebHook-Request-Origin', 'eventgrid.azure.net'], ['WebHook-Request-Rate', '120']], secrets: [secret('azure_eventgrid')] }),
    ];
  },
  cloudevents: () => [vector('cloudevents', 'handshake_ok', true, { status: 200, headers: { 'WebHook-Allowed-Origin': 'eventemitter.example.com' } }, 'allow the origin that asks', { method: 'OPTIONS', headers: [['WebHook-Request-Origin', 'eventemitter.example.com']] })],
  okta: () => [vector('okta', 'handshake_ok', true, answer({ verification: 'WfzOfuqbSDAvXgxfSHFuJRm2eBLl7l0aT1fJ' }), 'echo the header as JSON', { headers: [['X-Okta-Verification-Challenge', 'WfzOfuqbSDAvXgxfSHFuJRm2eBLl7l0aT1fJ']], secrets: [secret('okta')] })],
  dropbox: () => dropboxLike('dropbox'),
  nylas: () => dropboxLike('nylas'),
  onfleet: () => echo('onfleet', 'check', text),
  asana: () => [vector('asana', 'handshake_ok', true, { status: 200, headers: { 'X-Hook-Secret': 'b537207f20cbfa02357cf448134da559' } }, 'echo the header, and keep it: it is the key', { method: 'POST', headers: [['X-Hook-Secret', 'b537207f20cbfa02357cf448134da559']] })],
  notion: () => [vector('notion', 'handshake_ok', true, { status: 200 }, 'unsigned; the token is the key of later requests', { method: 'POST', headers: json, body: '{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl"}' })],
  monday: () => [vector('monday', 'handshake_ok', true, answer({ challenge: '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P' }), 'echo the challenge as JSON', { method: 'POST', headers: json, body: '{"challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"}', secrets: [secret('monday')] })],
  lark: () => [
    vector('lark', 'handshake_ok', true, answer({ challenge: 'ajls384kdjx98XX' }), 'echo the challenge as JSON', { method: 'POST', headers: json, body: '{"challenge":"ajls384kdjx98XX","token":"xxxxxx","type":"url_verification"}', secrets: [secret('lark')] }),
    vector('lark', 'handshake_bad_token', false, { status: 403 }, 'the verification token is configured, and another is sent', { method: 'POST', headers: json, body: '{"challenge":"ajls384kdjx98XX","token":"other","type":"url_verification"}', secrets: [secret('lark')], config: { verify_token: 'xxxxxx' }, klass: 'policy' }),
  ],
  ebay,
  braintree,
  adobe_sign: () => ['GET', 'POST'].flatMap((method) => [
    vector('adobe_sign', `handshake_${method.toLowerCase()}`, true, { status: 200, headers: { 'X-AdobeSign-ClientId': 'CBJCHBCAABAA1' } }, 'echo the client id', { method, headers: [['X-AdobeSign-ClientId', 'CBJCHBCAABAA1']], config: { client_id: 'CBJCHBCAABAA1' } }),
    vector('adobe_sign', `handshake_${method.toLowerCase()}_other_client`, false, { status: 403 }, 'the client id of somebody else', { method, headers: [['X-AdobeSign-ClientId', 'evil']], config: { client_id: 'CBJCHBCAABAA1' }, klass: 'policy' }),
  ]),
  front: () => [
    signed('front', 'handshake_ok', true, text('chal-7f3a9c'), 'echo the header', '{}', { headers: [['x-front-challenge', 'chal-7f3a9c']] }),
    signed('front', 'handshake_bad_signature', false, { status: 401 }, 'a wrong signature must not be answered', '{}', { headers: [['x-front-challenge', 'chal-7f3a9c']], pair: 'B' }),
  ],
  trello: () => head200('trello'),
  intercom: () => head200('intercom'),
  mailchimp: () => get200('mailchimp', '?secret=' + secret('mailchimp')),
  mandrill: () => [
    ...get200('mandrill'),
    signed('mandrill', 'handshake_empty_post', true, { status: 200 }, 'a signed POST without events', '', { form: [['mandrill_events', '[]']] }),
  ],
  xero: () => emptyEvents('xero', '{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4nd0m3ntr0py"}'),
  quickbooks: () => emptyEvents('quickbooks', '{"eventNotifications":[]}'),
  woocommerce: () => [vector('woocommerce', 'handshake_ok', true, { status: 200 }, 'the unsigned ping when a webhook is made', { method: 'POST', headers: [['Content-Type', 'application/x-www-form-urlencoded'], ['X-WC-Webhook-Source', 'https://shop.example.com/']], body: 'webhook_id=42' })].map((v) => ({ ...v, secrets: [secret('woocommerce')] })),
  aws_sns: sns,
};
