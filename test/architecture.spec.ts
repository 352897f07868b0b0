import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/*
 * The table of docs/architecture.md, asserted over the import lines: which rooms may import which, and which packages.
 */

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const ALIASES: Readonly<Record<string, string>> = {
  '@pogo/hub': 'libs/hub/src/index.ts',
  '@pogo/hub/testing': 'libs/hub/src/testing/index.ts',
  '@pogo/pusher-protocol': 'libs/pusher-protocol/src/index.ts',
  '@pogo/gateway': 'apps/gateway/src/index.ts',
  '@pogo/publisher': 'libs/publisher/src/index.ts',
};

interface Room {
  /** Folder whose files belong to the room; the deepest room that fits counts. */
  readonly folder: string;
  /** Rooms (by folder) whose files it may import, its own aside. */
  readonly rooms: readonly string[];
  /** Packages it may import, as patterns over the whole specifier. */
  readonly packages: readonly RegExp[];
}

const NODE = /^node:/;
const PROTOCOL = 'libs/pusher-protocol/src';
const HUB = 'libs/hub/src';
const GATEWAY = 'apps/gateway/src';
const CONFIG = `${GATEWAY}/config`;
const EDGE_ROOMS = ['http', 'websocket', 'commands', 'health', 'webhooks', 'metrics'].map(
  (room) => `${GATEWAY}/${room}`,
);

const ROOMS: readonly Room[] = [
  { folder: PROTOCOL, rooms: [], packages: [/^node:crypto$/] },
  {
    folder: HUB,
    rooms: [PROTOCOL],
    packages: [
      /^@nestjs\/(common|microservices)$/,
      /^(bullmq|cluster-key-slot|cockatiel|ioredis|ipaddr\.js|rxjs)$/,
      /^node:(crypto|https?|net|timers\/promises|util|zlib)$/,
    ],
  },
  {
    folder: 'libs/publisher/src',
    rooms: [PROTOCOL],
    packages: [/^@nestjs\/(common|microservices)$/, /^rxjs$/],
  },
  { folder: `${HUB}/testing`, rooms: [PROTOCOL, HUB], packages: [/^node:(assert|timers)/] },
  {
    folder: `${GATEWAY}/http`,
    rooms: [CONFIG, HUB, PROTOCOL],
    packages: [/^@nestjs\/common$/, /^fastify$/, /^zod$/, NODE],
  },
  {
    folder: `${GATEWAY}/websocket`,
    rooms: [CONFIG, HUB, PROTOCOL],
    packages: [/^@nestjs\/(common|websockets|platform-ws)$/, /^ws$/, /^rxjs$/, /^node:(http|net|stream)$/],
  },
  {
    folder: `${GATEWAY}/commands`,
    rooms: [CONFIG, HUB, PROTOCOL],
    packages: [/^@nestjs\/(common|core|microservices)$/, /^rxjs$/, /^zod$/, /^node:(events|net)$/],
  },
  { folder: CONFIG, rooms: [HUB, PROTOCOL], packages: [/^zod$/, /^yaml$/, /^fastest-levenshtein$/, NODE] },
  { folder: `${GATEWAY}/health`, rooms: [HUB], packages: [/^@nestjs\/common$/, /^fastify$/] },
  { folder: `${GATEWAY}/webhooks`, rooms: [HUB, PROTOCOL], packages: [/^@nestjs\/common$/] },
  {
    folder: `${GATEWAY}/metrics`,
    rooms: [CONFIG, HUB],
    packages: [/^@nestjs\/common$/, /^@willsoto\/nestjs-prometheus$/, /^prom-client$/, NODE],
  },
  {
    folder: `${GATEWAY}/cli`,
    rooms: [CONFIG, PROTOCOL, GATEWAY, `${GATEWAY}/cli/laravel`],
    packages: [/^commander$/, /^ws$/, NODE],
  },
  { folder: `${GATEWAY}/cli/laravel`, rooms: [], packages: [/^diff$/, NODE] },
  // Composition: the only place that knows all rooms.
  {
    folder: GATEWAY,
    rooms: [CONFIG, HUB, PROTOCOL, ...EDGE_ROOMS],
    packages: [/^@nestjs\//, /^fastify$/, /^reflect-metadata$/, NODE],
  },
];

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** The imported file, relative to the root; undefined for a package. */
  readonly target: string | undefined;
}

const sources = ['apps', 'libs'].flatMap((folder) => filesBelow(join(ROOT, folder)));
const imports = sources.flatMap(importsOf);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => relative(ROOT, join(folder, name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const specifiers = [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'";]*?from\s*'([^']+)'|\bimport\(?\s*'([^']+)'/g),
  ];
  return specifiers.map((match) => {
    const specifier = match[1] ?? match[2] ?? '';
    if (!specifier.startsWith('.')) return { file, specifier, target: ALIASES[specifier] };
    return { file, specifier, target: join(dirname(file), specifier).replace(/\.js$/, '.ts') };
  });
}

function roomOf(file: string): Room {
  const room = ROOMS.filter(({ folder }) => file.startsWith(`${folder}/`)).toSorted(
    (a, b) => b.folder.length - a.folder.length,
  )[0];
  if (room === undefined) throw new Error(`${file} stands in no room`);
  return room;
}

describe('architecture', () => {
  it('has a room for every source file', () => {
    expect(sources.length).toBeGreaterThan(60);
    for (const file of sources) expect(() => roomOf(file)).not.toThrow();
  });

  it('sees the imports of every file that has some', () => {
    const seen = new Set(imports.map(({ file }) => file));
    const withImports = sources.filter((file) => /^import /m.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(withImports.filter((file) => !seen.has(file))).toEqual([]);
  });

  it('lets arrows between rooms point in one direction only', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (target === undefined) return false;
      const [from, to] = [roomOf(file), roomOf(target)];
      return from !== to && !from.rooms.includes(to.folder);
    });
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('crosses between apps and libs through their public names only', () => {
    const wrong = imports.filter(({ file, specifier, target }) => {
      if (target === undefined || !specifier.startsWith('.')) return false;
      return file.split('/src/', 1)[0] !== target.split('/src/', 1)[0];
    });
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('lets each room use only the packages that are its business', () => {
    const wrong = imports.filter(
      ({ file, specifier, target }) =>
        target === undefined && !roomOf(file).packages.some((pattern) => pattern.test(specifier)),
    );
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('keeps Redis in the redis-* files of the hub', () => {
    const wrong = imports.filter(
      ({ file, specifier }) =>
        /^(bullmq|cluster-key-slot|ioredis|@nestjs\/microservices|rxjs|node:(crypto|net))$/.test(specifier) &&
        file.startsWith(HUB) &&
        !/\/redis-[^/]+\.ts$/.test(file),
    );
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('asks other servers over HTTP in the authorization of the hub only', () => {
    const wrong = imports.filter(
      ({ file, specifier }) =>
        /^(node:https?|cockatiel)$/.test(specifier) && file.startsWith(`${HUB}/`) && !file.startsWith(`${HUB}/auth/`),
    );
    expect(wrong.map(({ file, specifier }) => `${file} imports ${specifier}`)).toEqual([]);
  });

  it('reads the environment in the configuration and at the start only', () => {
    const readers = sources.filter((file) => /\bprocess\.env\b/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(readers.filter((file) => !file.startsWith(CONFIG) && file !== `${GATEWAY}/main.ts`)).toEqual([]);
  });

  it('keeps clocks and randomness out of the protocol, but for socket ids', () => {
    const impure = sources
      .filter((file) => file.startsWith(PROTOCOL))
      .filter((file) =>
        /\b(Date\.now|performance\.now|Math\.random|setTimeout)\b/.test(readFileSync(join(ROOT, file), 'utf8')),
      );
    expect(impure).toEqual([]);
  });

  it('keeps every source file within 250 lines', () => {
    const long = sources.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 251);
    // The contract of the directory is one list of promises; see docs/adr.
    expect(long.filter((file) => !file.endsWith('.contract.ts'))).toEqual([]);
  });
});
