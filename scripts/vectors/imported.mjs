// Schemes whose vectors came with their providers' SDKs' verdicts from an earlier
// survey. They are kept as they are; generate.mjs only adds to them.
export const imported = new Set(['github', 'meta', 'bitbucket', 'linear', 'shopify', 'docusign', 'stripe', 'slack', 'zoom', 'twitch', 'box', 'standardwebhooks', 'standardwebhooks_v1a', 'gitlab_signed', 'square', 'twilio', 'hubspot_v3', 'mailgun', 'discord', 'sendgrid', 'paypal', 'plaid', 'google_pubsub', 'gitlab', 'telegram', 'aws_sns']);
