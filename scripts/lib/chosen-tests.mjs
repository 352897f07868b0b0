import { relative, resolve } from 'node:path';
import { ROOT } from './project.mjs';

/**
 * Whether a run of vitest has one of these tests, by vitest's own rule: a filter is a part of a path, and without one
 * everything runs.
 * @param tests paths below the root. @param args what vitest is given.
 */
export async function runsOneOf(tests, args) {
  // It is there only now, after the installation.
  const { parseCLI } = await import('vitest/node');
  const { filter } = parseCLI(['vitest', 'run', ...args], { allowUnknownOptions: true });
  const parts = filter.map((each) => relative(ROOT, resolve(ROOT, each.replace(/:\d+$/, ''))).toLowerCase());
  return parts.length === 0 || parts.some((part) => tests.some((test) => test.includes(part)));
}
