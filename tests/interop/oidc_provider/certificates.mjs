// Clients that show a certificate (mutual TLS), at endpoints of a port of their own.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const AT_ALIASES = {
  token: 'token_endpoint',
  'token/introspection': 'introspection_endpoint',
  'token/revocation': 'revocation_endpoint',
  request: 'pushed_authorization_request_endpoint',
  me: 'userinfo_endpoint',
};

function certificateOf(context) {
  const { raw } = context.socket.getPeerCertificate?.() ?? {};
  if (!raw) return undefined;
  return `-----BEGIN CERTIFICATE-----\n${raw.toString('base64')}\n-----END CERTIFICATE-----`;
}

const mTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: certificateOf,
  certificateAuthorized: (context) => context.socket.authorized,
  certificateSubjectMatches: (context, property, expected) =>
    property === 'tls_client_auth_san_dns' &&
    context.socket.getPeerCertificate().subjectaltname === `DNS:${expected}`,
};

function listening(server) {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
}

// Returns the issuer, and what of the configuration is for certificates.
export async function serveWithTLS(files, answer) {
  const pem = readFileSync(files.server);
  const ours = { key: pem, cert: pem };
  const port = await listening(createServer(ours, answer));
  const asking = { requestCert: true, rejectUnauthorized: false, ca: readFileSync(files.authority) };
  const other = await listening(createServer({ ...ours, ...asking }, answer));
  const aliases = Object.fromEntries(
    Object.entries(AT_ALIASES).map(([path, name]) => [name, `https://localhost:${other}/${path}`]),
  );
  return {
    issuer: `https://127.0.0.1:${port}`,
    features: { mTLS },
    discovery: { mtls_endpoint_aliases: aliases },
    clientAuthMethods: ['none', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  };
}
