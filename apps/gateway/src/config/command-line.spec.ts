import { describe, expect, it } from 'vitest';
import { parseCommandLine } from './command-line.js';
import { ConfigError, explainConfig } from './load-config.js';

function problemsOf(...args: string[]): readonly string[] {
  try {
    parseCommandLine(args);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('The command line', () => {
  it('is settings and the file', () => {
    expect(parseCommandLine([])).toEqual({ file: undefined, settings: {} });
    expect(parseCommandLine(['--port', '9000', '--config=a.yaml', '--allowed-origins=a.example,b.example'])).toEqual({
      file: 'a.yaml',
      settings: { port: '9000', allowed_origins: 'a.example,b.example' },
    });
  });

  it('is over the environment, and is named in messages', () => {
    const app = { POGO_WS_APP_KEY: 'key', POGO_WS_APP_SECRET: 'secret' };
    const { config, names } = explainConfig({ ...app, POGO_WS_PORT: '1' }, parseCommandLine(['--port', '2']));
    expect(config.port).toBe(2);
    expect(names.get('port')).toBe('--port');
    expect(() => explainConfig(app, parseCommandLine(['--port', 'eighty']))).toThrow('--port = "eighty": must be');
  });

  it.each(['app-secret', 'redis-password', 'redis-url', 'command-secret', 'webhook-secret', 'redis-sentinel-password'])(
    'refuses --%s, which everybody could read, and does not repeat it',
    (name) => {
      const [problem = ''] = problemsOf(`--${name}`, 'never-to-be-shown');
      expect(problem).toContain(`use POGO_WS_${name.replaceAll('-', '_').toUpperCase()}`);
      expect(problem).not.toContain('never-to-be-shown');
    },
  );

  it('tells every mistake', () => {
    expect(problemsOf('--prot', '1', 'eighty', '--config=', '--host', '--port=1')).toEqual([
      '--prot: there is no such setting; did you mean --port?',
      'there are no arguments without a name: settings are --name value',
      '--config: needs a value',
      '--host: needs a value',
    ]);
  });
});
