/**
 * `PROVIDER_SECRETS_KEY` of platforms on this machine, unless the environment has one: callbacks of Twilio and Telnyx can
 * be tried at once. Everybody knows it, as the key of the demo data.
 */
export const providerSecretsKey = (env: NodeJS.ProcessEnv = process.env): string =>
  env.PROVIDER_SECRETS_KEY || Buffer.alloc(32, 'demo').toString('base64')
