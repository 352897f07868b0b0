import { fileURLToPath } from 'node:url';

/** What this chat is told about the gateway, in the words of Laravel's `.env`, and where it listens itself. */
export function readSettings() {
  readEnvFile();
  const { env } = process;
  const secret = env.REVERB_APP_SECRET ?? '';
  if (secret === '') throw new Error('REVERB_APP_SECRET is missing: the gateway prints it when it starts (README.md).');
  return {
    app: { id: env.REVERB_APP_ID ?? '1', key: env.REVERB_APP_KEY ?? 'pogo-key', secret },
    gateway: {
      host: env.REVERB_HOST ?? '127.0.0.1',
      port: portOf('REVERB_PORT', env.REVERB_PORT ?? '8080'),
      hasTls: env.REVERB_SCHEME === 'https',
    },
    host: env.HOST ?? '127.0.0.1',
    port: portOf('PORT', env.PORT ?? '3000'),
  };
}

/** The environment wins over the file. */
function readEnvFile() {
  try {
    process.loadEnvFile(fileURLToPath(new URL('.env', import.meta.url)));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function portOf(name, text) {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`${name} is no port: ${text}`);
  return port;
}
