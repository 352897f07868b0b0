/**
 * The exact text of one member of a JSON object, without re-encoding it: client events are relayed as they were
 * sent (`1.0` stays `1.0`, a 64-bit number keeps its digits), and nothing recursive runs over hostile depth.
 *
 * `json` must be the text of an object that `JSON.parse` accepts; of a repeated key the last one counts, as there.
 */
export function rawMember(json: string, key: string): string | undefined {
  let found: string | undefined;
  let at = skipSpace(json, json.indexOf('{') + 1);
  while (json.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(json, at);
    const name = json.slice(at + 1, keyEnd - 1);
    const valueStart = skipSpace(json, skipSpace(json, keyEnd) + 1);
    const end = valueEnd(json, valueStart);
    if (name === key || (name.includes('\\') && JSON.parse(json.slice(at, keyEnd)) === key)) {
      found = json.slice(valueStart, end);
    }
    at = skipSpace(json, end);
    if (json.charCodeAt(at) !== COMMA) break;
    at = skipSpace(json, at + 1);
  }
  return found;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

function skipSpace(json: string, at: number): number {
  for (;;) {
    const code = json.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at++;
  }
}

/** Index after the closing quote of the string that opens at `at`. */
function stringEnd(json: string, at: number): number {
  for (at++; ; at++) {
    const code = json.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
}

function valueEnd(json: string, at: number): number {
  const first = json[at];
  if (first === '"') return stringEnd(json, at);
  if (first !== '{' && first !== '[') {
    while (at < json.length && !/[\s,\]}]/.test(json[at] as string)) at++;
    return at;
  }
  let depth = 0;
  for (; ; at++) {
    const char = json[at];
    if (char === '"') at = stringEnd(json, at) - 1;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
}

/** A JSON object as `JSON.parse` makes it; arrays and null are none. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in `text`, or undefined when it is malformed or something else. Total: no text makes it throw. */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
