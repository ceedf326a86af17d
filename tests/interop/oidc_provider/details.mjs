// What is asked for in detail (RFC 9396), and how the users log in (RFC 9470).

import { errors } from 'oidc-provider';

export const acrValues = ['password', 'passkey'];

const asked = (context) => {
  const text = context.oidc.params.authorization_details;
  return text === undefined ? undefined : JSON.parse(text);
};

const payment = {
  validate(_context, detail) {
    if (typeof detail.amount !== 'string') {
      throw new errors.InvalidAuthorizationDetails('a payment has an amount');
    }
  },
};

export const richAuthorizationRequests = {
  enabled: true,
  types: { payment, account: { validate() {} } },
  authorizationDetailsForGrantSource: (context) => asked(context),
  authorizationDetailsForAccessToken: (context, _token, source) => asked(context) ?? source?.rar,
  authorizationDetailsForIntrospection: (_context, token) => token.rar,
};

export function acrOf(params) {
  const [first] = (params.acr_values ?? '').split(' ');
  return first || JSON.parse(params.claims ?? '{}').id_token?.acr?.value;
}
