// Users who are asked on another device (CIBA), and decide by themselves after a moment.

import { errors } from 'oidc-provider';

const A_MOMENT = 150; // milliseconds

async function decide(provider, request, client) {
  if (request.accountId === 'mallory') return new errors.AccessDenied();
  const grant = new provider.Grant({ accountId: request.accountId, clientId: client.clientId });
  grant.addOIDCScope(request.scope);
  await grant.save();
  return grant;
}

export const ciba = {
  enabled: true,
  deliveryModes: ['poll', 'ping'],
  processLoginHint: (_context, hint) => (hint === 'nobody' ? undefined : hint),
  processLoginHintToken: () => undefined,
  validateRequestContext: () => undefined,
  verifyUserCode: (_context, account, code) => {
    if (account.accountId !== 'carol') return;
    if (code === undefined) throw new errors.MissingUserCode('the user_code is missing');
    if (code !== '1234') throw new errors.InvalidUserCode('the user_code is wrong');
  },
  triggerAuthenticationDevice: (context, request, _account, client) => {
    const { provider } = context.oidc;
    setTimeout(async () => {
      await provider.backchannelResult(request, await decide(provider, request, client), {
        authTime: Math.floor(Date.now() / 1000),
      });
    }, A_MOMENT);
  },
};

// The provider notifies over https, and never an address of this machine; the tests listen there,
// and without a certificate.
export function fetchHere(url, { dispatcher: _, ...options }) {
  return fetch(url.replace('https://127.0.0.1', 'http://127.0.0.1'), options);
}
