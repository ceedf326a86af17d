// An authorization server on a free port of this machine, whose users approve of everything.
//
// The arguments are a JSON list of clients, the files of certificates, for one that speaks TLS, and the
// issuer of another server whose JWTs count here. The first line that is printed is the issuer.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

import { ciba, fetchHere } from './backchannel.mjs';
import { serveWithTLS } from './certificates.mjs';
import { acrOf, acrValues, richAuthorizationRequests } from './details.mjs';
import { discovery, extraTokenClaims, registerExchanges } from './exchanges.mjs';

const [clients, files, trusted] = process.argv.slice(2).map((text) => JSON.parse(text));
const RESOURCES = ['urn:api', 'urn:other'];

function privateKey(kind, options, algorithm) {
  const { privateKey: key } = generateKeyPairSync(kind, options);
  return { ...key.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: algorithm };
}

const jwks = {
  keys: [
    privateKey('rsa', { modulusLength: 2048 }, 'RS256'),
    privateKey('ec', { namedCurve: 'P-256' }, 'ES256'),
  ],
};

function configuration({ features, ...more }) {
  return {
    ...more,
    clients,
    jwks,
    discovery: { ...discovery, ...more.discovery },
    extraTokenClaims,
    scopes: ['openid', 'offline_access', 'read', 'write'],
    pkce: { required: () => true },
    findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    fetch: fetchHere,
    acrValues,
    features: {
      ...features,
      claimsParameter: { enabled: true },
      richAuthorizationRequests,
      devInteractions: { enabled: false },
      ciba,
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: {
        enabled: true,
        nonceSecret: Buffer.alloc(32, 7),
        requireNonce: (context) => context.oidc.client?.clientId === 'careful',
      },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      jwtResponseModes: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => {
          if (!RESOURCES.includes(resource)) throw new Error('unknown resource');
          return { scope: 'read write', audience: resource, accessTokenFormat: 'opaque' };
        },
      },
    },
  };
}

async function decide(provider, context) {
  const { prompt, params, grantId, session } = await provider.interactionDetails(
    context.req,
    context.res,
  );
  if (prompt.name === 'login') return { login: { accountId: 'alice', acr: acrOf(params) } };
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingResourceScopes } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  for (const detail of prompt.details.rar ?? []) grant.addRar(detail);
  return { consent: { grantId: await grant.save() } };
}

function approving(provider) {
  provider.use(async (context, next) => {
    if (!context.path.startsWith('/interaction/')) return next();
    const result = await decide(provider, context);
    const url = await provider.interactionResult(context.req, context.res, result, {
      mergeWithLastSubmission: true,
    });
    context.redirect(url);
  });
  return provider.callback();
}

function serve(respond) {
  const server = createServer(respond);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({ issuer: `http://127.0.0.1:${server.address().port}` });
    });
  });
}

let answer;
const respond = (request, response) => answer(request, response);
const { issuer, ...more } = await (files ? serveWithTLS(files, respond) : serve(respond));
const provider = new Provider(issuer, configuration(more));
registerExchanges(provider, { jwks, resources: RESOURCES, trusted });
answer = approving(provider);
process.stdout.write(`${issuer}\n`);
