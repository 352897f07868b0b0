import { expect, it } from 'vitest';
import { belowPrefix } from './path-prefix.js';

it.each([
  ['/apps/1', '', '/apps/1'],
  ['/ws/apps/1', '/ws', '/apps/1'],
  ['/ws/', '/ws', '/'],
  ['/ws', '/ws', undefined],
  ['/wss/apps/1', '/ws', undefined],
  ['/apps/1', '/ws', undefined],
  ['/ws?x=1', '/ws', undefined],
  ['', '', undefined],
])('%j below %j is %j', (url, prefix, rest) => {
  expect(belowPrefix(url, prefix)).toBe(rest);
});
