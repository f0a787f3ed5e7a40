// Runs inside the engine: makes everything that a module's body has left behind read-only, as flash is, and finds out later
// what was written to where freezing cannot reach.

/** Objects of the language, whose prototypes a preloading host freezes as well. */
const INTRINSICS =
  `Array ArrayBuffer BigInt Boolean DataView Date Error Function Int8Array Int16Array Int32Array JSON Map Math Number
  Object Promise Proxy RangeError Reflect RegExp Set String Symbol TypeError Uint8Array Uint16Array Uint32Array WeakMap
  WeakRef WeakSet`.split(/\s+/);

type Visit = (it: object, path: string) => void;

/** Bytes that were there when everything was frozen. */
const kept: { readonly path: string; readonly array: Uint8Array; readonly copy: Uint8Array }[] = [];
const seen = new Set<object>();

function walk(root: unknown, path: string, visit: Visit): void {
  if ((typeof root !== 'object' && typeof root !== 'function') || root === null || seen.has(root)) return;
  seen.add(root);
  visit(root, path);
  walk(Object.getPrototypeOf(root), `${path}.__proto__`, visit);
  if (ArrayBuffer.isView(root)) return;
  for (const name of Reflect.ownKeys(root)) {
    const it = Object.getOwnPropertyDescriptor(root, name)!;
    for (const value of [it.value, it.get, it.set]) walk(value, `${path}.${String(name)}`, visit);
  }
}

function freeze(it: object, path: string): void {
  if (it instanceof Map || it instanceof Set || it instanceof WeakMap) throw new Error(`${path} is a collection`);
  if (!ArrayBuffer.isView(it)) return void Object.freeze(it);
  const array = new Uint8Array(it.buffer, it.byteOffset, it.byteLength);
  kept.push({ path, array, copy: array.slice() });
}

/** Freezes what can be reached. @returns paths of what was not frozen before, the functions and their prototypes left out */
export function freezeScope(scope: Readonly<Record<string, unknown>>): string[] {
  for (const name of INTRINSICS) {
    const intrinsic = (globalThis as unknown as Record<string, unknown>)[name];
    walk(intrinsic, name, (it) => !ArrayBuffer.isView(it) && Object.freeze(it));
  }
  const found: string[] = [];
  for (const name of Object.keys(scope)) {
    walk(scope[name], name, (it, path) => {
      const isCode = typeof it === 'function' || /\.prototype$/.test(path);
      if (!isCode && !Object.isFrozen(it)) found.push(path);
      freeze(it, path);
    });
  }
  return found;
}

/** Paths of typed arrays that have been written to since. */
export function changed(): string[] {
  return kept.filter(({ array, copy }) => copy.some((byte, i) => byte !== array[i])).map(({ path }) => path);
}
