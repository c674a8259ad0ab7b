/** An Apache of a test's own, with mod_auth_openidc in front of a page: a relying party that is not ours. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apachePath } from '../support/packages.ts';
import { freePort } from '../support/ports.ts';

export interface Apache {
  /** The page behind the login. */
  page: string;
  /** Where the module is spoken to: the way back, `?info=json`, `?logout=…`. */
  redirectUri: string;
  start(issuer: string, credentials: { clientId: string; clientSecret: string }): Promise<void>;
  stop(): Promise<void>;
}

const modules = '/usr/lib/apache2/modules';

/** The port is taken from what is free now, because the provider wants to know the addresses first. */
export async function prepareApache(): Promise<Apache> {
  const port = await freePort();
  const origin = `http://apache.localhost:${port}`;
  const redirectUri = `${origin}/protected/redirect_uri`;
  const directory = mkdtempSync(join(tmpdir(), 'didit-oidc-apache-'));
  chmodSync(directory, 0o755);
  mkdirSync(join(directory, 'www/protected'), { recursive: true });
  writeFileSync(join(directory, 'www/protected/index.html'), '<h1>Behind the login</h1>');
  writeFileSync(join(directory, 'www/bye.html'), '<h1>Signed out of Apache</h1>');
  let stop: () => Promise<void> = () => Promise.resolve();

  return {
    page: `${origin}/protected/index.html`,
    redirectUri,
    async start(issuer, { clientId, clientSecret }) {
      const file = join(directory, 'apache.conf');
      const credentials = { clientId, clientSecret, redirectUri };
      writeFileSync(file, configuration({ directory, port, issuer, ...credentials }));
      const child = spawn(apachePath(), ['-f', file, '-DFOREGROUND'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const endWithUs = (): void => void child.kill('SIGKILL');
      process.once('exit', endWithUs);
      stop = async () => {
        process.off('exit', endWithUs);
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      };
      while (!(await isListening(port))) {
        if (child.exitCode !== null) throw new Error('Apache ended at once');
        await sleep(50);
      }
    },
    async stop() {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function configuration(of: {
  directory: string;
  port: number;
  issuer: string;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
}): string {
  const { directory, port, issuer, clientId, clientSecret, redirectUri } = of;
  const names = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'mime', 'auth_openidc'];
  return `
ServerName apache.localhost
Listen 127.0.0.1:${port}
PidFile ${directory}/pid
ErrorLog ${directory}/error.log
Mutex file:${directory}
DocumentRoot ${directory}/www
TypesConfig /dev/null
AddType text/html .html
User nobody
Group nogroup
StartServers 1
MaxRequestWorkers 50
ServerLimit 2
${names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
OIDCSSLValidateServer Off
OIDCClientID ${clientId}
OIDCClientSecret ${clientSecret}
OIDCRedirectURI ${redirectUri}
OIDCCryptoPassphrase a-passphrase-of-this-test-alone
OIDCPKCEMethod S256
OIDCScope "openid email"
OIDCRemoteUserClaim email
OIDCInfoHook access_token id_token userinfo
OIDCDefaultLoggedOutURL ${new URL('/bye.html', redirectUri).href}
<Location /protected>
  AuthType openid-connect
  Require valid-user
</Location>
`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
