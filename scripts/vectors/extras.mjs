// Vectors that are added to the imported ones: what they do not have.
import { NOW, schemes, testKeys } from './engine.mjs';
import { imported } from './imported.mjs';
import { sign } from './sign.mjs';
import { vectorsOf } from './variants.mjs';
import * as samples from './samples.mjs';

// Each imported scheme gets a request from which type and id can be read.
const events = { github: 'push', bitbucket: 'repo:push', linear: 'Issue', shopify: 'orders/create', docusign: 'envelope-completed', stripe: 'invoice.paid', slack: 'app_mention', zoom: 'meeting.started', twitch: 'channel.follow', box: 'FILE.UPLOADED', gitlab_signed: 'Push Hook', square: 'payment.created', twilio: 'onMessageAdded', hubspot_v3: 'contact.creation', mailgun: 'delivered', discord: '2', sendgrid: 'processed', paypal: 'PAYMENT.CAPTURE.COMPLETED', plaid: 'DEFAULT_UPDATE', gitlab: 'Push Hook', meta: 'page', standardwebhooks: 'invoice.paid', standardwebhooks_v1a: 'invoice.paid' };
const configs = { paypal: { webhook_id: '8PT597110X687430LKGECATA' }, google_pubsub: { audience: 'https://hooks.example.com/in/google_pubsub', service_account: 'pusher@proj.iam.gserviceaccount.com' } };

function event(name) {
  const row = schemes[name];
  const [v] = vectorsOf(name, row, { extras: true });
  return [{ ...v, id: `${name}/valid_event`, variant: 'valid_event', note: 'a request with the type and the id of an event' }];
}

function paypal() {
  const row = schemes.paypal, certURL = 'https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-0a1b2c3d';
  const make = (variant, klass, valid, note, url = certURL, cert = testKeys.cert_a, key = testKeys.rsa_a) => {
    const { req } = sign({ name: 'paypal', row, config: configs.paypal, pair: { key, secret: '' }, headers: [...samples.headers('paypal', row), ['Paypal-Cert-Url', url], ['Paypal-Auth-Algo', 'SHA256withRSA']] });
    return { id: `paypal/${variant}`, provider: 'paypal', variant, kind: 'request', class: klass, method: req.method, url: req.url, path: '/in/paypal', headers: req.headers, body_base64: req.body.toString('base64'), secrets: [], config: { ...configs.paypal, certs: { [url]: cert } }, now: NOW, valid, oracle: null, note };
  };
  return [
    make('valid_fetched_cert', 'edge', true, 'the certificate is fetched from the URL in the request, on the pinned host'),
    make('bad_cert_host', 'must', false, 'certificate on a host of somebody else', certURL.replace('api.paypal.com', 'api.paypal.com.evil.example')),
    make('bad_cert_host_suffix', 'must', false, 'certificate on a host that ends in paypal.com', certURL.replace('api.paypal.com', 'evil-api.paypal.com')),
    make('bad_cert_userinfo', 'must', false, 'the pinned host as user of another', certURL.replace('api.paypal.com', 'api.paypal.com@evil.example')),
    make('bad_cert_http', 'must', false, 'certificate URL over http', certURL.replace('https', 'http')),
    make('bad_other_cert', 'must', false, 'the certificate there is not the one that signed', certURL, testKeys.cert_b),
  ];
}

function hubspot() {
  const row = schemes.hubspot_v3, url = 'https://hooks.example.com/in/hubspot_v3?q=a%3Ab%2Fc%40d&e=%20%26';
  const { req, secret } = sign({ name: 'hubspot_v3', row, url });
  return [{ id: 'hubspot_v3/valid_url_escapes', provider: 'hubspot_v3', variant: 'valid_url_escapes', kind: 'request', class: 'must', method: 'POST', url: req.url, path: req.url.slice(25), headers: req.headers, body_base64: req.body.toString('base64'), secrets: [secret], now: NOW, valid: true, oracle: null, note: 'some escapes of the URL are undone before signing, %20 and %26 are not' }];
}

for (const name of imported) if (name in schemes) samples.describe(name, { type: events[name], config: configs[name] });
export const extras = Object.fromEntries([...imported].filter((name) => name in schemes).map((name) => [name, () => [...event(name), ...(name === 'paypal' ? paypal() : name === 'hubspot_v3' ? hubspot() : [])]]));
