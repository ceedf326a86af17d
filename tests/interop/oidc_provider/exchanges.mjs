// Grants that the library leaves to others: token exchange (RFC 8693), and JWT bearer (RFC 7523) for
// JWTs of a server that is trusted, by which a user's identity gets from there to here.

import { randomUUID } from 'node:crypto';
import { createLocalJWKSet, createRemoteJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';
import { errors } from 'oidc-provider';

const TYPE = 'urn:ietf:params:oauth:token-type:';
const GRANT = 'urn:ietf:params:oauth:grant-type:';
const LIFETIME = 300; // seconds, of a JWT for another server
const JWT_TYPES = { [`${TYPE}id-jag`]: 'oauth-id-jag+jwt', [`${TYPE}jwt`]: 'JWT' };

export const discovery = {
  identity_chaining_requested_token_types_supported: Object.keys(JWT_TYPES),
  authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
};

// Who acts for the user stands in what introspection says of the token (RFC 8693 section 4.1).
export const extraTokenClaims = (context) =>
  context.state.actor && { act: { sub: context.state.actor } };

const publicHalf = ({ kty, kid, alg, n, e, crv, x, y }) => ({ kty, kid, alg, n, e, crv, x, y });
const listed = (value) => (value === undefined ? [] : [value].flat());

function narrowed(asked, allowed) {
  if (asked === undefined || allowed === undefined) return asked ?? allowed;
  const known = allowed.split(' ');
  if (asked.split(' ').some((word) => !known.includes(word))) {
    throw new errors.InvalidScope('more was asked for than the token allows', asked);
  }
  return asked;
}

export function registerExchanges(provider, { jwks, resources, trusted }) {
  const ownKeys = createLocalJWKSet({ keys: jwks.keys.map(publicHalf) });
  const signingKey = jwks.keys.find(({ alg }) => alg === 'ES256');
  const trustedKeys = trusted && createRemoteJWKSet(new URL(`${trusted}/jwks`));

  // What a token of the request says: for whom it stands, and what it allows.
  async function read(context, name) {
    const { params, client } = context.oidc;
    const [token, kind] = [params[name], params[`${name}_type`]];
    if (token === undefined && kind === undefined) return undefined;
    if (kind === `${TYPE}access_token`) {
      const models = [provider.AccessToken, provider.ClientCredentials];
      const found = (await Promise.all(models.map((model) => model.find(token)))).find(Boolean);
      if (found?.isValid) return { sub: found.accountId ?? found.clientId, scope: found.scope };
    } else if (kind === `${TYPE}id_token`) {
      const expected = { issuer: provider.issuer, audience: client.clientId };
      const { payload } = await jwtVerify(token, ownKeys, expected).catch(() => ({}));
      if (payload) return { sub: payload.sub };
    }
    throw new errors.InvalidRequest(`the ${name} or its type is not taken`); // section 2.2.2
  }

  function targetOf({ resource, audience }) {
    const [target, ...more] = [...listed(resource), ...listed(audience)];
    if (more.length || (target !== undefined && !resources.includes(target))) {
      throw new errors.InvalidTarget('there is no such resource, or there are several');
    }
    return target;
  }

  async function accessToken(context, gty, { sub, scope }, target) {
    const token = new provider.AccessToken({
      accountId: sub,
      client: context.oidc.client,
      gty,
      scope,
    });
    if (target) {
      const server = { audience: target, scope, accessTokenFormat: 'opaque' };
      token.resourceServer = new provider.ResourceServer(target, server);
    }
    return {
      access_token: await token.save(),
      token_type: 'Bearer',
      expires_in: token.expiration,
      scope,
    };
  }

  async function jwtFor({ audience, resource }, { clientId }, { sub, scope }, typ) {
    const [aud, ...more] = listed(audience);
    if (more.length || !URL.canParse(aud)) throw new errors.InvalidTarget('name one other server');
    const jwt = new SignJWT({ client_id: clientId, scope, resource })
      .setProtectedHeader({ alg: 'ES256', kid: signingKey.kid, typ })
      .setIssuer(provider.issuer)
      .setSubject(sub)
      .setAudience(aud)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime(`${LIFETIME}s`);
    return {
      access_token: await jwt.sign(await importJWK(signingKey)),
      token_type: 'N_A',
      expires_in: LIFETIME,
      scope,
    };
  }

  async function exchange(context) {
    const { params, client } = context.oidc;
    const wanted = params.requested_token_type ?? `${TYPE}access_token`;
    const subject = await read(context, 'subject_token');
    if (!subject) throw new errors.InvalidRequest('there is no subject_token');
    context.state.actor = (await read(context, 'actor_token'))?.sub;
    const about = { ...subject, scope: narrowed(params.scope, subject.scope) };
    let issued;
    if (wanted === `${TYPE}access_token`) {
      issued = await accessToken(context, 'token_exchange', about, targetOf(params));
    } else if (wanted in JWT_TYPES) {
      issued = await jwtFor(params, client, about, JWT_TYPES[wanted]);
    } else {
      throw new errors.InvalidRequest('no such token is issued here');
    }
    context.body = { ...issued, issued_token_type: wanted };
  }

  async function redeem(context) {
    const { params, client } = context.oidc;
    const expected = {
      issuer: trusted,
      audience: provider.issuer,
      algorithms: ['ES256'],
      requiredClaims: ['sub', 'exp', 'jti'],
    };
    const { payload } = await jwtVerify(params.assertion, trustedKeys, expected).catch((error) => {
      throw new errors.InvalidGrant(error.message);
    });
    if (payload.client_id !== client.clientId) {
      throw new errors.InvalidGrant('the JWT is for another client');
    }
    const about = { sub: payload.sub, scope: narrowed(params.scope, payload.scope) };
    context.body = await accessToken(context, 'jwt_bearer', about, targetOf(params));
  }

  const tokens = ['subject_token', 'subject_token_type', 'actor_token', 'actor_token_type'];
  const asked = ['requested_token_type', 'resource', 'audience', 'scope'];
  const several = ['resource', 'audience'];
  provider.registerGrantType(`${GRANT}token-exchange`, exchange, [...tokens, ...asked], several);
  if (trusted) {
    const given = ['assertion', 'resource', 'scope'];
    provider.registerGrantType(`${GRANT}jwt-bearer`, redeem, given, several);
  }
}
