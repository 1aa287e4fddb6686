// How each SDK is asked. load returns what verify needs; verify returns false or
// throws to refuse. partial names what the SDK leaves to its caller.
import { createHash, createPublicKey, createSecretKey } from 'node:crypto';
import { hubspotURL, testKeys } from './engine.mjs';

const bare = (text, prefix) => (text?.startsWith(prefix) ? text.slice(prefix.length) : text);
const svixHeaders = (r) => ({ 'svix-id': r.header('svix-id'), 'svix-timestamp': r.header('svix-timestamp'), 'svix-signature': r.header('svix-signature') });
const one = (sdk, scheme, load, verify, more = {}) => ({ sdk, schemes: [].concat(scheme), load, verify, ...more });
const lib = (name, pick = (x) => x) => (require) => pick(require(name));
const must = (ok) => { if (!ok) throw new Error('refused'); };

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');
const joseKey = (key) => createPublicKey(key.startsWith('{') ? { key: JSON.parse(key), format: 'jwk' } : key);
async function detached(s, r, key, name, alg, raw) {
  const [protectedHeader, middle, signature] = (r.header(name) ?? '').split('.');
  must(middle === '' && signature !== undefined);
  return s.flattenedVerify({ protected: protectedHeader, signature, payload: raw ? r.raw : r.raw.toString('base64url') }, joseKey(key), { algorithms: [alg] });
}
const grouped = (pairs) => pairs.reduce((o, [n, v]) => { o[n] = n in o ? [].concat(o[n], v) : v; return o; }, {});
const bareKey = (key) => key.replace(/-----[^-]+-----|\s/g, '');
const alipayPrivate = () => bareKey(testKeys.rsa_b);
// The SDK's adapters hang the headers on the prototype of the parsed body.
function lark(s, r, key) {
  const d = new s.EventDispatcher({ encryptKey: key, loggerLevel: 0 });
  return d.requestHandle.checkIsEventValidated(Object.assign(Object.create({ headers: r.headers }), r.json()));
}
function mercadopago(s, r, key) {
  const query = Object.fromEntries(r.query());
  s.WebhookSignatureValidator.validate({ xSignature: r.header('x-signature'), xRequestId: r.header('x-request-id'), dataId: query['data.id']?.toLowerCase(), secret: key });
}
async function liveblocks(s, r, key) {
  try { new s.WebhookHandler(key).verifyRequest({ headers: r.headers, rawBody: r.text }); } catch (e) { if (!/event type|Unknown event/i.test(String(e))) throw e; }
}
// Inngest checks a request in a method of a class that needs much else.
const inngest = () => import(new URL('node_modules/inngest/components/InngestCommHandler.js', import.meta.url)).then((m) => m.InngestCommHandler.prototype.validateSignature);
const inngestClient = (signingKey) => new Proxy({ mode: 'cloud', signingKey }, { get: (client, name) => (typeof name === 'symbol' ? { debug() {} } : client[name]) });
// eBay's SDK fetches the key; here it is the configured one.
function ebay(require) {
  const client = require('event-notification-nodejs-sdk/lib/client'), state = {};
  client.getPublicKey = async () => ({ key: state.key.replaceAll('\n', '') });
  return { state, check: require('event-notification-nodejs-sdk/lib/validator').validateSignature };
}

export const oracles = [
  // ---------------------------------------------------------------- bodies
  one('@octokit/webhooks-methods', 'github', () => import('@octokit/webhooks-methods'), (s, r, key) => s.verify(key, r.text, r.header('x-hub-signature-256'))),
  one('x-hub-signature', ['github_sha1', 'intercom'], (require) => require('x-hub-signature'), (S, r, key) => new S('sha1', key).verify(r.header('x-hub-signature'), r.raw)),
  one('x-hub-signature', ['bitbucket', 'bitbucket_server', 'jira'], (require) => require('x-hub-signature'), (S, r, key) => new S('sha256', key).verify(r.header('x-hub-signature'), r.raw)),
  one('x-hub-signature', 'meta', (require) => require('x-hub-signature'), (S, r, key) => new S('sha256', key).verify(r.header('x-hub-signature-256'), r.raw)),
  one('@notionhq/client', 'notion', lib('@notionhq/client'), (s, r, key) => s.verifyWebhookSignature({ body: r.text, signature: r.header('x-notion-signature'), verificationToken: key })),
  one('razorpay', 'razorpay', lib('razorpay'), (S, r, key) => S.validateWebhookSignature(r.text, r.header('x-razorpay-signature'), key)),
  one('coinbase-commerce-node', 'coinbase_commerce', lib('coinbase-commerce-node'), (s, r, key) => s.Webhook.verifySigHeader(r.text, r.header('x-cc-webhook-signature'), key)),
  one('@line/bot-sdk', 'line', lib('@line/bot-sdk'), (s, r, key) => s.validateSignature(r.raw, key, r.header('x-line-signature') ?? '')),
  one('viber-bot', 'viber', (require) => require('viber-bot/lib/message/message-validator'), (V, r, key) => new V({ debug() {} }, key).validateMessage(r.header('x-viber-content-signature'), r.raw)),
  one('gocardless-nodejs', 'gocardless', lib('gocardless-nodejs/webhooks'), (s, r, key) => s.verifySignature(r.text, key, r.header('webhook-signature'))),
  one('@onfido/api', 'onfido', lib('@onfido/api'), (s, r, key) => new s.WebhookEventVerifier(key).readPayload(r.raw, r.header('x-sha2-signature'))),
  one('@easypost/api', 'easypost', async (require) => { const m = require('@easypost/api'); const C = m.default ?? m; return new C('k'); }, (c, r, key) => c.Utils.validateWebhook(r.raw, r.headers, key)),
  one('modern-treasury', 'modern_treasury', lib('modern-treasury', (m) => new (m.default ?? m)({ apiKey: 'k', organizationID: 'o' })), (c, r, key) => c.webhooks.validateSignature(r.text, r.headers, { key })),
  one('pusher', 'pusher', lib('pusher'), (P, r, key) => new P({ appId: '1', key: r.header('x-pusher-key'), secret: key }).webhook({ headers: r.headers, rawBody: r.text }).isValid()),
  one('stream-chat', 'getstream', lib('stream-chat'), (s, r, key) => new s.StreamChat('k', key).verifyWebhook(r.raw, r.header('x-signature') ?? '')),
  one('@fingerprint/node-sdk', 'fingerprint', lib('@fingerprint/node-sdk'), (s, r, key) => s.isValidWebhookSignature({ header: r.header('fpjs-event-signature'), data: r.raw, secret: key })),
  one('@kontent-ai/webhook-helper', 'kontent', lib('@kontent-ai/webhook-helper'), (s, r, key) => s.signatureHelper.isValidSignatureFromString(r.text, key, r.header('x-kontent-ai-signature'))),
  one('@trigger.dev/sdk', 'triggerdev_alert', lib('@trigger.dev/sdk'), async (s, r, key) => { try { await s.webhooks.constructEvent(r.fetch(), key); } catch (e) { if (!/parsing failed/.test(String(e))) throw e; } }),
  one('@copilot-extensions/preview-sdk', 'github_secret_scanning', () => import('@copilot-extensions/preview-sdk'), (s, r, key) => s.verifyRequest(r.text, r.header('github-public-key-signature'), key)),
  one('@adyen/api-library', 'adyen_platform', lib('@adyen/api-library', (m) => new m.hmacValidator()), (h, r, key) => h.validateHMACSignature(key, r.header('hmacsignature'), r.text)),

  // ---------------------------------------------------------------- timestamp and body
  one('stripe', 'stripe', lib('stripe', (m) => new (m.default ?? m)('sk_test_x')), (s, r, key) => s.webhooks.signature.verifyHeader(r.raw, r.header('stripe-signature'), key, 300)),
  one('@paddle/paddle-node-sdk', 'paddle', lib('@paddle/paddle-node-sdk', (m) => new m.Paddle('k')), (p, r, key) => p.webhooks.isSignatureValid(r.text, key, r.header('paddle-signature'))),
  one('@mux/mux-node', 'mux', lib('@mux/mux-node', (m) => new (m.default ?? m)({ tokenId: 'a', tokenSecret: 'b' })), (c, r, key) => c.webhooks.verifySignature(r.text, r.headers, key)),
  one('@workos-inc/node', 'workos', lib('@workos-inc/node', (m) => new m.WorkOS('sk')), (w, r, key) => w.webhooks.verifyHeader({ payload: r.json(), sigHeader: r.header('workos-signature'), secret: key })),
  one('webflow-api', 'webflow', lib('webflow-api', (m) => new m.WebflowClient({ accessToken: 'x' })), (c, r, key) => c.webhooks.verifySignature({ headers: r.headers, body: r.text, secret: key })),
  one('@elevenlabs/elevenlabs-js', 'elevenlabs', lib('@elevenlabs/elevenlabs-js', (m) => new m.ElevenLabsClient({ apiKey: 'x' })), (c, r, key) => c.webhooks.constructEvent(r.text, r.header('elevenlabs-signature'), key).then(() => true)),
  one('retell-sdk', 'retell', lib('retell-sdk'), async (m, r, key) => must(await (m.Retell ?? m.default ?? m).verify(r.text, key, r.header('x-retell-signature')))),
  one('@lovable.dev/webhooks-js', 'lovable', () => import('@lovable.dev/webhooks-js'), (s, r, key) => s.verifyWebhookRequest({ req: r.fetch(), secret: key })),
  one('fintoc', 'fintoc', lib('fintoc'), (s, r, key) => s.WebhookSignature.verifyHeader(r.text, r.header('fintoc-signature'), key, 300)),
  one('inngest', 'inngest', inngest, async (validate, r, key) => must((await validate.call({ client: inngestClient(key) }, r.header('x-inngest-signature'), r.text)).success)),
  one('creem', 'creem', lib('creem/webhooks'), (s, r, key) => s.verifyWebhookSignature(r.raw, r.headers, key)),
  one('cronofy', 'cronofy', lib('cronofy', (C) => new C({ client_id: 'a', client_secret: 'b' })), (c, r, key) => c.hmacValid({ hmac: r.header('cronofy-hmac-sha256') ?? '', body: r.text, client_secret: key })),
  one('cashfree-pg', 'cashfree', lib('cashfree-pg'), (s, r, key) => { const c = new s.Cashfree(s.CFEnvironment?.SANDBOX ?? 1, 'id', key); return Boolean(c.PGVerifyWebhookSignature(r.header('x-webhook-signature'), r.text, r.header('x-webhook-timestamp'))); }),
  one('@sanity/webhook', 'sanity', lib('@sanity/webhook'), (s, r, key) => s.isValidSignature(r.text, r.header('sanity-webhook-signature'), key)),
  one('cloudinary', 'cloudinary', lib('cloudinary'), (s, r, key) => { s.v2.config({ api_secret: key }); return s.v2.utils.verifyNotificationSignature(r.text, Number(r.header('x-cld-timestamp')), r.header('x-cld-signature'), 7200); }),
  one('@larksuiteoapi/node-sdk', 'lark', lib('@larksuiteoapi/node-sdk'), (s, r, key) => lark(s, r, key)),
  one('mercadopago', 'mercadopago', lib('mercadopago'), (s, r, key) => mercadopago(s, r, key), { partial: 'the caller writes the id in lower case' }),

  // ---------------------------------------------------------------- Standard Webhooks
  one('standardwebhooks', 'standardwebhooks', lib('standardwebhooks'), (s, r, key) => new s.Webhook(key).verify(r.text, r.headers)),
  one('svix', 'svix', lib('svix'), (s, r, key) => new s.Webhook(key).verify(r.text, r.headers)),
  one('@clerk/backend', 'clerk', lib('@clerk/backend/webhooks'), (s, r, key) => s.verifyWebhook(r.fetch(), { signingSecret: key })),
  one('resend', 'resend', lib('resend', (m) => new m.Resend('re_x')), (c, r, key) => c.webhooks.verify({ payload: r.text, headers: { id: r.header('svix-id'), timestamp: r.header('svix-timestamp'), signature: r.header('svix-signature') }, webhookSecret: key })),
  one('@seamapi/webhook', 'seam', () => import('@seamapi/webhook'), (s, r, key) => new s.SeamWebhook(key).verify(r.text, svixHeaders(r))),
  one('openai', 'openai', lib('openai', (m) => new (m.OpenAI ?? m.default ?? m)({ apiKey: 'x' })), (c, r, key) => c.webhooks.verifySignature(r.text, r.headers, key)),
  one('@anthropic-ai/sdk', 'anthropic', lib('@anthropic-ai/sdk', (m) => new (m.Anthropic ?? m.default ?? m)({ apiKey: 'x' })), (c, r, key) => c.beta.webhooks.unwrap(r.text, { headers: r.headers, key })),
  one('replicate', 'replicate', lib('replicate'), (s, r, key) => s.validateWebhook(r.fetch(), key)),
  one('dodopayments', 'dodopayments', lib('dodopayments', (m) => new (m.default ?? m)({ bearerToken: 'x' })), (c, r, key) => c.webhooks.unwrap(r.text, { headers: r.headers, key })),
  one('lithic', 'lithic', lib('lithic', (m) => new (m.default ?? m)({ apiKey: 'x' })), (c, r, key) => c.webhooks.verifySignature ? c.webhooks.verifySignature(r.text, r.headers, key) : c.webhooks.unwrap(r.text, r.headers, key)),
  one('@whop/sdk', 'whop', lib('@whop/sdk', (m) => new (m.default ?? m)({ apiKey: 'x' })), (c, r, key) => c.webhooks.unwrap(r.text, { headers: r.headers, key })),
  one('@liveblocks/node', 'liveblocks', lib('@liveblocks/node'), (s, r, key) => liveblocks(s, r, key)),
  one('@polar-sh/sdk', 'polar', lib('@polar-sh/sdk/webhooks.js'), (s, r, key) => { try { s.validateEvent(r.raw, r.headers, key); } catch (e) { if (e instanceof s.WebhookVerificationError) throw e; } }),
  one('@tryfinch/finch-api', 'finch', lib('@tryfinch/finch-api', (m) => new (m.default ?? m)({ accessToken: 'x' })), (c, r, key) => c.webhooks.verifySignature(r.text, r.headers, key)),
  one('standardwebhooks', ['gitlab_signed', 'brex', 'increase', 'supabase_auth', 'render', 'gemini', 'incident_io', 'etsy', 'loops', 'granola'], lib('standardwebhooks'), (s, r, key) => new s.Webhook(key).verify(r.text, r.headers), { partial: 'the library of the specification' }),
  one('svix', ['stytch', 'vanta', 'autumn'], lib('svix'), (s, r, key) => new s.Webhook(key).verify(r.text, r.headers), { partial: 'the library of the specification' }),
  one('@imagekit/nodejs', 'imagekit', lib('@imagekit/nodejs', (m) => new (m.default ?? m)({ privateKey: 'x' })), (c, r, key) => c.webhooks.unwrap(r.text, { headers: r.headers, key })),

  // ---------------------------------------------------------------- the request around the body
  one('square', 'square', lib('square'), (s, r, key) => s.WebhooksHelper.verifySignature({ requestBody: r.text, signatureHeader: r.header('x-square-hmacsha256-signature'), signatureKey: key, notificationUrl: r.url })),
  one('twilio', 'twilio', lib('twilio'), (s, r, key) => s.validateRequest(key, r.header('x-twilio-signature'), r.url, grouped(r.form()))),
  one('twilio', 'twilio_json', lib('twilio'), (s, r, key) => s.validateRequestWithBody(key, r.header('x-twilio-signature') ?? '', r.url, r.text)),
  one('@hubspot/api-client', 'hubspot_v1', lib('@hubspot/api-client'), (s, r, key) => s.Signature.isValid({ signature: r.header('x-hubspot-signature'), clientSecret: key, requestBody: r.text, signatureVersion: 'v1' })),
  one('@hubspot/api-client', 'hubspot_v2', lib('@hubspot/api-client'), (s, r, key) => s.Signature.isValid({ signature: r.header('x-hubspot-signature'), clientSecret: key, requestBody: r.text, url: r.url, method: r.method, signatureVersion: 'v2' })),
  one('@hubspot/api-client', 'hubspot_v3', lib('@hubspot/api-client'), (s, r, key) => s.Signature.isValid({ signature: r.header('x-hubspot-signature-v3'), clientSecret: key, requestBody: r.text, url: hubspotURL(r.url), method: r.method, timestamp: Number(r.header('x-hubspot-request-timestamp')), signatureVersion: 'v3' }), { partial: 'the caller undoes the escapes of the URL' }),
  one('braintree', 'braintree', lib('braintree'), (s, r, key) => { const g = new s.BraintreeGateway({ environment: s.Environment.Sandbox, merchantId: 'm', publicKey: r.config.public_key, privateKey: key }); const f = Object.fromEntries(r.form()); const err = g.webhookNotification.validateSignature(f.bt_signature, f.bt_payload); if (err) throw err; }),
  one('@dropbox/sign', 'dropbox_sign', lib('@dropbox/sign'), (s, r, key) => { const data = JSON.parse(Object.fromEntries(r.form()).json); return s.EventCallbackHelper.isValid(key, s.EventCallbackRequest.init(data)); }),
  one('opennode', 'opennode', lib('opennode'), (s, r, key) => new s.OpenNodeClient(key, 'dev').verifySignature(Object.fromEntries(r.form()))),

  // ---------------------------------------------------------------- public keys
  one('discord-interactions', 'discord', lib('discord-interactions'), (s, r, key) => s.verifyKey(r.raw, r.header('x-signature-ed25519') ?? '', r.header('x-signature-timestamp') ?? '', key)),
  one('telnyx', 'telnyx', lib('telnyx', (m) => new (m.default ?? m)({ apiKey: 'x' })), (c, r, key) => c.webhooks.unwrap(r.text, { headers: r.headers, key })),
  one('@sendgrid/eventwebhook', 'sendgrid', lib('@sendgrid/eventwebhook', (m) => new m.EventWebhook()), (e, r, key) => e.verifySignature(e.convertPublicKeyToECDSA(key), r.raw, r.header('x-twilio-email-event-webhook-signature'), r.header('x-twilio-email-event-webhook-timestamp'))),

  // ---------------------------------------------------------------- JWT
  one('messagebird', 'messagebird', (require) => require('messagebird/lib/webhook-signature-jwt'), async (s, r, key) => { await s.verify(r.url, r.raw, r.header('messagebird-signature-jwt'), createSecretKey(Buffer.from(key))); }),
  one('livekit-server-sdk', 'livekit', () => import('livekit-server-sdk'), async (s, r, key) => { const fromJson = s.WebhookEvent.fromJson; s.WebhookEvent.fromJson = () => ({}); try { await new s.WebhookReceiver(r.config.api_key, key).receive(r.text || '', r.header('authorization')); } finally { s.WebhookEvent.fromJson = fromJson; } }),
  one('@upstash/qstash', 'qstash', lib('@upstash/qstash'), async (s, r, [a, b]) => must(await new s.Receiver({ currentSigningKey: a, nextSigningKey: b ?? a }).verify({ signature: r.header('upstash-signature'), body: r.text, url: r.url })), { allKeys: true }),
  one('jose', 'netlify', () => import('jose'), async (s, r, key) => { const { payload } = await s.jwtVerify(r.header('x-webhook-signature'), Buffer.from(key), { issuer: 'netlify', algorithms: ['HS256'] }); must(payload.sha256 === digest(r.raw)); }, { partial: 'procedure' }),
  one('@vonage/jwt', 'vonage', lib('@vonage/jwt'), async (s, r, key) => { const token = bare(r.header('authorization'), 'Bearer '); must(s.verifySignature(token, key)); const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')); must(claims.payload_hash === digest(r.raw)); }, { partial: 'the hash of the body is compared by the caller' }),

  // ---------------------------------------------------------------- schemes in code
  one('@adyen/api-library', 'adyen', lib('@adyen/api-library', (m) => new m.hmacValidator()), (h, r, key) => { const items = r.json().notificationItems; must(items.length > 0); return items.every((i) => h.validateHMAC(i.NotificationRequestItem, key)); }, { partial: 'one item at a time; the caller iterates' }),
  one('alipay-sdk', 'alipay', lib('alipay-sdk'), (s, r, key) => new s.AlipaySdk({ appId: '1', privateKey: alipayPrivate(), alipayPublicKey: bareKey(key) }).checkNotifySignV2(Object.fromEntries(r.form()))),
  one('@contentful/node-apps-toolkit', 'contentful', lib('@contentful/node-apps-toolkit'), (s, r, key) => s.verifyRequest(key, { method: r.method, path: r.url.replace(/^\w+:\/\/[^/]+/, ''), headers: r.headers, body: r.text }, 30)),
  one('plivo', 'plivo_v3', lib('plivo'), (s, r, key) => [r.header('x-plivo-signature-v3'), r.header('x-plivo-signature-ma-v3')].filter(Boolean).some((sig) => s.validateV3Signature(r.method, r.url, r.header('x-plivo-signature-v3-nonce'), key, sig, grouped(r.method === 'POST' ? r.form() : [])))),
  one('atlassian-jwt', 'jira_connect', lib('atlassian-jwt'), (s, r, key) => { const claims = s.decodeSymmetric(/^JWT (.+)$/i.exec(r.header('authorization') ?? '')[1], key, 'HS256'); must(claims.exp >= Date.now() / 1000); must(claims.qsh === s.createQueryStringHash(s.fromMethodAndUrl(r.method, r.url), false)); }, { partial: 'exp and qsh are compared by the caller' }),
  one('@payos/node', 'payos', lib('@payos/node'), async (s, r, key) => { const p = new s.PayOS({ clientId: 'a', apiKey: 'b', checksumKey: key }); await p.webhooks.verify(r.json()); }),
  one('truelayer-signing', 'truelayer', lib('truelayer-signing'), (s, r, key) => { s.verify({ publicKeyPem: key.startsWith('{') ? createPublicKey({ key: JSON.parse(key), format: 'jwk' }).export({ type: 'spki', format: 'pem' }) : key, signature: r.header('tl-signature'), method: r.method, path: new URL(r.url).pathname, body: r.text, headers: r.headers }); }),
  one('jose', 'fireblocks_v2', () => import('jose'), (s, r, key) => detached(s, r, key, 'fireblocks-webhook-signature', 'RS512', false), { partial: 'procedure' }),
  one('jose', 'constant_contact', () => import('jose'), async (s, r, key) => { const { protectedHeader: h } = await detached(s, r, key, 'x-ctct-webhook-sig', 'RS256', true); must(Math.abs(Date.now() / 1000 - h.ts) <= 300); }, { partial: 'procedure' }),
  one('jose', 'kinde', () => import('jose'), async (s, r, key) => { await s.compactVerify(r.text, joseKey(key), { algorithms: ['RS256'] }); }, { partial: 'procedure' }),
  one('event-notification-nodejs-sdk', 'ebay', ebay, (s, r, key) => { s.state.key = key.startsWith('-----') ? key : `-----BEGIN PUBLIC KEY-----${key}-----END PUBLIC KEY-----`; return s.check(r.json(), r.header('x-ebay-signature'), {}); }),
  one('js-sha3', 'moralis', lib('js-sha3'), (s, r, key) => r.header('x-signature') === '0x' + s.keccak256(Buffer.concat([r.raw, Buffer.from(key)])), { partial: 'procedure' }),
];
