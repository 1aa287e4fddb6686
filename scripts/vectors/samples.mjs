// What each provider's requests look like besides the signature: an event type
// that it really sends, the shape of its body, and headers it always has. Bodies
// are small and ours. A row that is not here gets the general ones.
import { seed } from './engine.mjs';

// type: what the row's `type` selector must find.
const types = {
  github_sha1: 'push', bitbucket_server: 'repo:refs_changed', jira: 'jira:issue_created', gitea: 'push', forgejo: 'push', gogs: 'push',
  intercom: 'conversation.user.created', notion: 'page.created', sentry: 'issue', vercel: 'deployment.created',
  heroku: 'api:release', circleci: 'workflow-completed', npm: 'package:publish', woocommerce: 'order.created', razorpay: 'payment.captured',
  coinbase_commerce: 'charge:confirmed', lemonsqueezy: 'order_created', pagerduty: 'incident.triggered', line: 'message', viber: 'delivered',
  onfido: 'check.completed', easypost: 'tracker.updated', modern_treasury: 'payment_order', getstream: 'message.new', creem: 'checkout.completed',
  triggerdev_alert: 'alert.run.failed', checkout_com: 'payment_approved', dwolla: 'transfer_completed', paystack: 'charge.success',
  clickup: 'taskCreated', dub: 'link.created', cal_com: 'BOOKING_CREATED', nylas: 'message.created', chargify: 'payment_success',
  aftership: 'tracking_update', checkr: 'report.completed', sendbird: 'group_channel:message_send', tally: 'FORM_RESPONSE', ashby: 'applicationSubmit',
  planetscale: 'branch.ready', firecrawl: 'crawl.completed', cursor: 'statusChange', typeform: 'form_response',
  authorize_net: 'net.authorize.payment.authcapture.created', adyen_platform: 'balancePlatform.transfer.created',
  paddle: 'transaction.completed', calendly: 'invitee.created', mux: 'video.asset.ready', workos: 'dsync.user.created', webflow: 'form_submission',
  elevenlabs: 'post_call_transcription', retell: 'call_ended', fintoc: 'account.refresh_intent.succeeded', buildkite: 'build.finished',
  shippo: 'track_updated', tiktok: 'video.publish.completed', persona: 'inquiry.completed', revolut: 'ORDER_COMPLETED', zoho_payments: 'payment.succeeded',
  boldsign: 'Completed', customer_io: 'delivered', lob: 'letter.created', airwallex: 'payment_intent.succeeded',
  zendesk: 'zen:event-type:ticket.created', cashfree: 'PAYMENT_SUCCESS_WEBHOOK', metronome: 'alerts.low_credit', plain: 'thread.thread_created',
  svix: 'invoice.paid', clerk: 'user.created', resend: 'email.delivered', seam: 'access_code.created', stytch: 'direct.user.create',
  brex: 'TRANSFER_PROCESSED', vanta: 'control.updated', autumn: 'customer.products.updated', openai: 'response.completed', anthropic: 'session.status_idled',
  replicate: 'succeeded', dodopayments: 'payment.succeeded', lithic: 'card_transaction.updated', increase: 'account.created', whop: 'payment.succeeded',
  liveblocks: 'commentCreated', supabase_auth: 'send_email', render: 'deploy_ended', gemini: 'batch.completed',
  incident_io: 'public_incident.incident_created_v2', etsy: 'order.paid', loops: 'email.delivered', granola: 'note.created', polar: 'order.created',
  imagekit: 'video.transformation.ready', finch: 'company.updated', trello: 'createCard', mandrill: 'send', hubspot_v1: 'contact.creation',
  hubspot_v2: 'contact.creation', mercadopago: 'payment', cloudinary: 'upload', lark: 'im.message.receive_v1', mailgun_form: 'delivered',
  dropbox_sign: 'signature_request_signed', opennode: 'paid', midtrans: 'settlement', telnyx: 'message.received', wise: 'transfers#state-change',
  fireblocks: 'TRANSACTION_STATUS_UPDATED', circle: 'transactions.outbound', livekit: 'room_started', monday: 'create_pulse', fusionauth: 'user.login.success',
  microsoft_graph: 'created', okta: 'user.lifecycle.create', auth0_logs: 's', chargebee: 'subscription_created', postmark: 'Delivery',
  azure_devops: 'git.push', supabase_db: 'INSERT', revenuecat: 'INITIAL_PURCHASE', flutterwave: 'charge.completed',
  azure_eventgrid: 'Microsoft.Storage.BlobCreated', mailchimp: 'subscribe', bigcommerce: 'store/order/created', brevo: 'delivered',
};

// ids that are not "evt_" and hexadecimal digits.
const uuid = (name) => seed('uuid ' + name, 32).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5').slice(0, 36);
const ids = {
  telegram: 728103947, flutterwave: 1163068, deepgram: uuid('deepgram'), telnyx: uuid('telnyx'), opennode: '5d3b8ac1-1a0c-4d1e-9b43-6f1d3a1a9b11',
  viber: '5741311803571721087', midtrans: '9aed5972-5b6a-401e-894b-a32c91ed1a3a', auth0_logs: '90020260528202640', docusign: undefined,
};
const id = (name) => (name in ids ? ids[name] : 'evt_' + seed('id ' + name, 16));

export const typeOf = (name) => types[name] ?? 'invoice.paid';
export { uuid };

// set writes value at a dotted path, making what is missing; numbers are indexes.
export function set(doc, path, value) {
  const steps = path.split('.');
  let at = doc;
  steps.slice(0, -1).forEach((step, i) => { at = at[step] ??= /^\d+$/.test(steps[i + 1]) ? [] : {}; });
  if (at[steps.at(-1)] === undefined) at[steps.at(-1)] = value;
  return doc;
}

// Whole documents, where the general one would not look like the provider's.
const documents = {
  meta: () => ({ object: 'page', entry: [{ id: '1', time: 1780000000 }] }),
  dropbox: () => ({ list_folder: { accounts: ['dbid:AAH4f99T0taONIb'] }, delta: { users: [12345678] } }),
  asana: () => ({ events: [{ action: 'changed', resource: { gid: '1337', resource_type: 'task' } }] }),
  gocardless: () => ({ events: [{ id: 'EV123', resource_type: 'payments', action: 'confirmed' }] }),
  xero: () => ({ events: [{ eventCategory: 'INVOICE', eventType: 'CREATE' }], firstEventSequence: 1, lastEventSequence: 1 }),
  pusher: () => ({ time_ms: 1780000000000, events: [{ name: 'channel_occupied', channel: 'room' }] }),
  quickbooks: () => ({ eventNotifications: [{ realmId: '1185883450', dataChangeEvent: { entities: [{ name: 'Customer', id: '1', operation: 'Create' }] } }] }),
  plain: () => ({ webhookMetadata: { webhookDeliveryAttemptNumber: 1 } }),
  telegram: () => ({ message: { message_id: 1, text: 'hi' } }),
  midtrans: () => ({ order_id: 'order-101', status_code: '200', gross_amount: '44000.00' }),
  dropbox_sign: () => ({ event: { event_time: '1780000000', event_type: 'signature_request_signed', event_metadata: { reported_for_account_id: 'a1' } } }),
  microsoft_graph: () => ({ value: [{ subscriptionId: 's1', resource: "Users('1')/Messages('2')" }] }),
  slack: () => ({ type: 'event_callback' }),
};

// body is the document of one request.
export function body(name, row) {
  const first = [row.type, row.id, ...Object.keys(row.read)].some((s) => /^json:0\./.test(s ?? ''));
  const doc = documents[name]?.() ?? (first ? [{}] : {});
  if (row.id?.startsWith('json:') && !(row.id in row.read)) set(doc, row.id.slice(5), id(name));
  if (row.type?.startsWith('json:')) set(doc, row.type.slice(5), typeOf(name));
  const inner = Array.isArray(doc) ? doc[0] : doc;
  inner.n ??= 1099;
  inner.flag ??= [true, null];
  return doc;
}

// headers are those that type and id are read from, and a few that must be there.
export function headers(name, row, isForm) {
  const list = [['Content-Type', isForm ? 'application/x-www-form-urlencoded' : contentTypes[name] ?? 'application/json']];
  for (const [selector, value] of [[row.type, typeOf(name)], [row.id, uuid(name)]]) {
    const header = /^header:(.*)$/.exec(selector ?? '')?.[1];
    if (header && !(header in row.read) && !(header + '?' in row.read)) list.push([header, value]);
  }
  return [...list, ...Object.entries(row.require ?? {}), ...(extra[name] ?? [])];
}
const contentTypes = { livekit: 'application/webhook+json', jira: 'application/json; charset=UTF-8' };
const extra = {
  gitea: [['X-GitHub-Event', 'push']],
  github_secret_scanning: [['Github-Public-Key-Identifier', 'f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d']],
  circle: [['X-Circle-Key-Id', '879dc113-5ca4-4ff7-a6b7-54652083fcf8']],
  square: [['square-environment', 'Production']],
};

// queries are what a URL ends in, where the scheme reads it.
export const queries = {
  mercadopago: '?data.id=ABC123&type=payment', hubspot_v2: '?tenant=1&x=a%20b', trello: '?board=1', qstash: '?step=1', messagebird: '?a=1&b=2',
};
// forms are the fields of bodies that are forms.
export const forms = {
  chargify: [['id', '1401'], ['event', 'payment_success'], ['payload[site][subdomain]', 'acme']],
  mailchimp: [['type', 'subscribe'], ['fired_at', '2026-05-28 20:26:40'], ['data[email]', 'a@example.com']],
  opennode: [['id', '5d3b8ac1-1a0c-4d1e-9b43-6f1d3a1a9b11'], ['status', 'paid'], ['price', '1000']],
  mailgun_form: [['event', 'delivered'], ['recipient', 'a@example.com'], ['body-plain', 'Hello & goodbye']],
  twilio: [['AccountSid', 'ACxxxx'], ['EventType', 'onMessageAdded'], ['Body', 'Hello & goodbye']],
  braintree: [['bt_payload', Buffer.from('<notification><kind>subscription_charged_successfully</kind></notification>').toString('base64') + '\n']],
};
// configs are settings of the receiver besides its secrets.
export const configs = { livekit: { api_key: 'APItestkey' }, braintree: { public_key: 'integration_public_key' } };

// describe adds what another file knows about a scheme.
export function describe(name, { type, config }) {
  if (type) types[name] = type;
  if (config) configs[name] = config;
}
